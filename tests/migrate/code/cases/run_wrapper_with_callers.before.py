def ask(client, **kwargs):
    return client.completions.create(model="davinci-002", **kwargs)


def starred(client, *args, **kwargs):
    print(kwargs)
    return client.completions.create(*args, **kwargs)


def main(client):
    one = ask(client, prompt="Hi", max_tokens=3).choices[0].text
    two = ask(client, prompt="Ho")
    three = starred(client, prompt="Ha", model="davinci-002", max_tokens=None)
    return one + two.choices[0].text + three.choices[0].text
