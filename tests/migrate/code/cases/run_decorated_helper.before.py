from functools import lru_cache, wraps


def loud(function):
    @wraps(function)
    def inner(*args):
        return function(*args)

    return inner


@lru_cache(maxsize=None)
def _ask(openai_client, q):
    return openai_client.completions.create(model="m", prompt=q, max_tokens=5)


@loud
def answer(openai_client, q):
    return openai_client.completions.create(model="m", prompt=q, max_tokens=5).choices[0].text


def main(openai_client):
    return _ask(openai_client, "Hi").choices[0].text + answer(openai_client, "Ho")
