# refused: prompt-list@5 prompt-list@9
def ask(openai_client, qs, docs, address):
    print(openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": qs}], n=2, max_completion_tokens=5).choices[1].message.content)
    print(openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": docs}], max_completion_tokens=5).choices[0].message.content)
    r = openai_client.completions.create(model="m", prompt=qs, max_tokens=5)
    for c in r.choices:
        print(c.text)
    print(openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": address}], max_completion_tokens=5).choices[-1].message.content)
    s = openai_client.completions.create(model="m", prompt=docs, max_tokens=5)
    print(s.choices[1].text)
