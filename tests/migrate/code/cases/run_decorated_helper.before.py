from functools import lru_cache, wraps


def loud(function):
    @wraps(function)
    def inner(*args):
        return function(*args)

    return inner


@lru_cache(maxsize=None)
def _ask(client, q):
    return client.completions.create(model="m", prompt=q, max_tokens=5)


@loud
def answer(client, q):
    return client.completions.create(model="m", prompt=q, max_tokens=5).choices[0].text


def main(client):
    return _ask(client, "Hi").choices[0].text + answer(client, "Ho")
