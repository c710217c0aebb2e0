def main(openai_client):
    reply = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5, user="me", seed=1, temperature=0)
    assert reply.usage.total_tokens >= 1 and reply.id and reply.model and reply.created
    assert reply.choices[0].logprobs is None
    if not reply or reply is None or len(reply.choices) != 1:
        return ""
    print(reply)
    return reply.choices[0].message.content
