def pieces(client, q):
    for chunk in client.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=5, stream=True):
        if not chunk.choices:
            continue
        yield chunk.choices[0].delta.content or ""


def main(client):
    return "".join(pieces(client, "one two"))
