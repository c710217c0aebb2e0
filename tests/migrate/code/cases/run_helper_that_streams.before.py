def _open(openai_client, q):
    return openai_client.completions.create(model="m", prompt=q, max_tokens=5, stream=True)


def main(openai_client):
    text = ""
    for event in _open(openai_client, "one two"):
        choice = event.choices[0]
        text += choice.text
    return text
