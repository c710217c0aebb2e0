def main(openai_client):
    reply = openai_client.chat.completions.create(**{"model": "m", "messages": [{"role": "user", "content": "Hi"}], "max_completion_tokens": 5})
    return reply.choices[0].message.content
