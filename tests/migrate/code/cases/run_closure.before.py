def main(openai_client):
    reply = openai_client.completions.create(model="m", prompt="Hi", max_tokens=5)

    def inner():
        return reply.choices[0].text

    texts = [c.text for c in reply.choices if c.text]
    return inner() + texts[0]
