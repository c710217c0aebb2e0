MODEL = 'gpt-5.4-mini'


def ask(client, prompt, model="gpt-5.4-mini"):
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": prompt}], max_completion_tokens=5).choices[0].message.content


def main(client):
    return client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5).choices[0].message.content + ask(client, "Ho")
