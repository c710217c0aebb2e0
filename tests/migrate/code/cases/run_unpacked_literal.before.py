def main(openai_client):
    reply = openai_client.completions.create(**{"model": "m", "prompt": "Hi", "max_tokens": 5})
    return reply.choices[0].text
