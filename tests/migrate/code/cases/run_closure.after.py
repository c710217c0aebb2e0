def main(openai_client):
    reply = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5)

    def inner():
        return reply.choices[0].message.content

    texts = [c.message.content for c in reply.choices if c.message.content]
    return inner() + texts[0]
