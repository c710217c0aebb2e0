def main(openai_client):
    return openai_client.chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": "Again: " + openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5).choices[0].message.content}],
        max_completion_tokens=5,
    ).choices[0].message.content
