def _ask(openai_client, q, left=1):
    reply = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=5)
    if not reply.choices[0].message.content.strip() and left:
        return _ask(openai_client, q, left - 1)
    return reply


def main(openai_client):
    return _ask(openai_client, "Hi").choices[0].message.content
