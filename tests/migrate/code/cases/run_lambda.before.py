def main(openai_client):
    ask = lambda prompt: openai_client.completions.create(model="m", prompt=prompt, max_tokens=5)
    return ask("Hi").choices[0].text
