def main(client):
    ask = lambda prompt: client.completions.create(model="m", prompt=prompt, max_tokens=5)
    return ask("Hi").choices[0].text
