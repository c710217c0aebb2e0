def _open(client, q):
    return client.completions.create(model="m", prompt=q, max_tokens=5, stream=True)


def main(client):
    text = ""
    for event in _open(client, "one two"):
        choice = event.choices[0]
        text += choice.text
    return text
