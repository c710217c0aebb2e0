from jinja2 import Template


def main(openai_client):
    prompt = Template("Say {{ word }}").render(word="hi")
    return openai_client.completions.create(model="m", prompt=prompt, max_tokens=5).choices[0].text
