def pieces(openai_client, q):
    for chunk in openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=5, stream=True):
        if not chunk.choices:
            continue
        yield chunk.choices[0].delta.content or ""


def main(openai_client):
    return "".join(pieces(openai_client, "one two"))
