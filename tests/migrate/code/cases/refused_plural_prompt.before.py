# refused: prompt-list@5 prompt-list@9
def ask(openai_client, qs, docs, address):
    print(openai_client.completions.create(model="m", prompt=qs, n=2, max_tokens=5).choices[1].text)
    print(openai_client.completions.create(model="m", prompt=docs, max_tokens=5).choices[0].text)
    r = openai_client.completions.create(model="m", prompt=qs, max_tokens=5)
    for c in r.choices:
        print(c.text)
    print(openai_client.completions.create(model="m", prompt=address, max_tokens=5).choices[-1].text)
    s = openai_client.completions.create(model="m", prompt=docs, max_tokens=5)
    print(s.choices[1].text)
