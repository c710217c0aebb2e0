# refused: receiver-unknown@3
def ask(client, q):
    return client.completions.create(model="m", prompt=q, max_tokens=1).choices[0].text
