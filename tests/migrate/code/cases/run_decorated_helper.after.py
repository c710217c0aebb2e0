from functools import lru_cache, wraps


def loud(function):
    @wraps(function)
    def inner(*args):
        return function(*args)

    return inner


@lru_cache(maxsize=None)
def _ask(openai_client, q):
    return openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=5)


@loud
def answer(openai_client, q):
    return openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=5).choices[0].message.content


def main(openai_client):
    return _ask(openai_client, "Hi").choices[0].message.content + answer(openai_client, "Ho")
