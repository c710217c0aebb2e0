def ask(client, q):
    r = client.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": q}], max_completion_tokens=5)
    return (q + r.choices[0].message.content)


def main(client):
    q = "Say hi"
    r = client.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": q}], max_completion_tokens=5, n=2)
    return [(q + choice.message.content).strip() for choice in r.choices], ask(client, "Ho")[len("Ho"):]
