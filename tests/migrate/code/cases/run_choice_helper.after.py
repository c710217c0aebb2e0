def _best(client, q):
    reply = client.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=5, n=2)
    return max(reply.choices, key=lambda c: len(c.message.content))


def _all(client, q):
    return client.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=5, n=2).choices


def main(client):
    return [_best(client, "Hi").message.content, *[c.message.content for c in _all(client, "Ho")]]
