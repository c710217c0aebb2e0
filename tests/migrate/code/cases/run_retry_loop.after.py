def main(openai_client):
    reply = None
    for attempt in range(3):
        try:
            reply = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5)
            break
        except Exception:
            if attempt == 2:
                raise
    return reply.choices[0].message.content
