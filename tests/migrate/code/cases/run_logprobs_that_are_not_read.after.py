def main(openai_client):
    return openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], logprobs=True, top_logprobs=3, max_completion_tokens=5).choices[0].message.content
