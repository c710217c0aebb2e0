def _open(client, q):
    return client.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=5, stream=True)


def main(client):
    text = ""
    for event in _open(client, "one two"):
        if not event.choices:
            continue
        choice = event.choices[0]
        text += choice.delta.content or ""
    return text
