def _ask(client, q, left=1):
    reply = client.completions.create(model="m", prompt=q, max_tokens=5)
    if not reply.choices[0].text.strip() and left:
        return _ask(client, q, left - 1)
    return reply


def main(client):
    return _ask(client, "Hi").choices[0].text
