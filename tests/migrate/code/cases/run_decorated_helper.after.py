from functools import lru_cache, wraps


def loud(function):
    @wraps(function)
    def inner(*args):
        return function(*args)

    return inner


@lru_cache(maxsize=None)
def _ask(client, q):
    return client.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=5)


@loud
def answer(client, q):
    return client.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=5).choices[0].message.content


def main(client):
    return _ask(client, "Hi").choices[0].message.content + answer(client, "Ho")
