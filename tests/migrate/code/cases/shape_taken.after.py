def ask(client, q):
    return client.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=1).choices[0].message.content
