def _ask(openai_client, q, left=1):
    reply = openai_client.completions.create(model="m", prompt=q, max_tokens=5)
    if not reply.choices[0].text.strip() and left:
        return _ask(openai_client, q, left - 1)
    return reply


def main(openai_client):
    return _ask(openai_client, "Hi").choices[0].text
