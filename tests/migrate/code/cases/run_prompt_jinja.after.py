from jinja2 import Template


def main(openai_client):
    prompt = Template("Say {{ word }}").render(word="hi")
    return openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": prompt}], max_completion_tokens=5).choices[0].message.content
