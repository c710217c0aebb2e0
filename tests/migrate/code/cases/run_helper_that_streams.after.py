def _open(openai_client, q):
    return openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=5, stream=True)


def main(openai_client):
    text = ""
    for event in _open(openai_client, "one two"):
        if not event.choices:
            continue
        choice = event.choices[0]
        text += choice.delta.content or ""
    return text
