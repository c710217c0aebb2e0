from functools import lru_cache

from openai import OpenAI


@lru_cache
def get_client():
    return OpenAI()


def ask(q):
    return get_client().chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=1).choices[0].message.content


class Service:
    client: OpenAI

    @property
    def api(self) -> OpenAI:
        return self.client

    def ask(self, q):
        return self.api.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=1).choices[0].message.content


class Own(OpenAI):
    def ask(self, q):
        return self.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=1).choices[0].message.content
