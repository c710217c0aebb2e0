def main(client):
    reply = client.chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": "Hi"}],
        max_completion_tokens=5,
        stream=False,
        logit_bias={},
    )
    again = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5, n=2)
    return reply.choices[0].message.content + again.choices[1].message.content
