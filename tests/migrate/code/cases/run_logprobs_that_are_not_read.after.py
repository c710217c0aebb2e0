def main(client):
    return client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], logprobs=True, top_logprobs=3, max_completion_tokens=5).choices[0].message.content
