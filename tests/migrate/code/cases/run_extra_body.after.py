def main(openai_client):
    reply = openai_client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5, extra_body={"top_k": 3}, extra_headers={"x-a": "b"}
    )
    return reply.choices[0].message.content
