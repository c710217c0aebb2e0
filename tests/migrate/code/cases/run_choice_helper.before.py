def _best(openai_client, q):
    reply = openai_client.completions.create(model="m", prompt=q, max_tokens=5, n=2)
    return max(reply.choices, key=lambda c: len(c.text))


def _all(openai_client, q):
    return openai_client.completions.create(model="m", prompt=q, max_tokens=5, n=2).choices


def main(openai_client):
    return [_best(openai_client, "Hi").text, *[c.text for c in _all(openai_client, "Ho")]]
