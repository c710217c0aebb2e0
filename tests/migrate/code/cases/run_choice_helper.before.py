def _best(client, q):
    reply = client.completions.create(model="m", prompt=q, max_tokens=5, n=2)
    return max(reply.choices, key=lambda c: len(c.text))


def _all(client, q):
    return client.completions.create(model="m", prompt=q, max_tokens=5, n=2).choices


def main(client):
    return [_best(client, "Hi").text, *[c.text for c in _all(client, "Ho")]]
