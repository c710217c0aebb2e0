def ask(client, **kwargs):
    return client.chat.completions.create(model="gpt-5.4-mini", **kwargs)


def starred(client, *args, **kwargs):
    print(kwargs)
    return client.chat.completions.create(*args, **kwargs)


def main(client):
    one = ask(client, messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=3).choices[0].message.content
    two = ask(client, messages=[{"role": "user", "content": "Ho"}], max_completion_tokens=16)
    three = starred(client, messages=[{"role": "user", "content": "Ha"}], model="gpt-5.4-mini", max_completion_tokens=16)
    return one + two.choices[0].message.content + three.choices[0].message.content
