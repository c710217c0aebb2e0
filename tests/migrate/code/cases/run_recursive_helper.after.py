def _ask(client, q, left=1):
    reply = client.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=5)
    if not reply.choices[0].message.content.strip() and left:
        return _ask(client, q, left - 1)
    return reply


def main(client):
    return _ask(client, "Hi").choices[0].message.content
