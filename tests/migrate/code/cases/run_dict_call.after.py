def main(openai_client):
    params = dict(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5)
    return openai_client.chat.completions.create(**params).choices[0].message.content
