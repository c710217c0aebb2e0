def main(client):
    return client.chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": "Again: " + client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5).choices[0].message.content}],
        max_completion_tokens=5,
    ).choices[0].message.content
