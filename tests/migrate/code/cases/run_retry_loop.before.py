def main(openai_client):
    reply = None
    for attempt in range(3):
        try:
            reply = openai_client.completions.create(model="m", prompt="Hi", max_tokens=5)
            break
        except Exception:
            if attempt == 2:
                raise
    return reply.choices[0].text
