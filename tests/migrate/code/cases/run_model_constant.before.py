MODEL = 'gpt-3.5-turbo-instruct'


def ask(client, prompt, model="text-davinci-003"):
    return client.completions.create(model=model, prompt=prompt, max_tokens=5).choices[0].text


def main(client):
    return client.completions.create(model=MODEL, prompt="Hi", max_tokens=5).choices[0].text + ask(client, "Ho")
