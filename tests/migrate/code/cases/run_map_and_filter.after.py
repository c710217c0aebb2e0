def main(openai_client):
    choices = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5, n=2).choices
    return [*map(lambda c: c.message.content, choices), list(filter(lambda c: c.message.content, choices))[0].message.content]
