def _best(openai_client, q):
    reply = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=5, n=2)
    return max(reply.choices, key=lambda c: len(c.message.content))


def _all(openai_client, q):
    return openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=5, n=2).choices


def main(openai_client):
    return [_best(openai_client, "Hi").message.content, *[c.message.content for c in _all(openai_client, "Ho")]]
