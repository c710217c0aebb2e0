from functools import lru_cache

from openai import OpenAI


@lru_cache
def get_client():
    return OpenAI()


def ask(q):
    return get_client().completions.create(model="m", prompt=q, max_tokens=1).choices[0].text


class Service:
    client: OpenAI

    @property
    def api(self) -> OpenAI:
        return self.client

    def ask(self, q):
        return self.api.completions.create(model="m", prompt=q, max_tokens=1).choices[0].text


class Own(OpenAI):
    def ask(self, q):
        return self.completions.create(model="m", prompt=q, max_tokens=1).choices[0].text
