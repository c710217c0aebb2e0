def main(openai_client):
    reply = openai_client.chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": "Hi"}],
        max_completion_tokens=5,
        stream=False,
        logit_bias={},
    )
    again = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5, n=2)
    return reply.choices[0].message.content + again.choices[1].message.content
