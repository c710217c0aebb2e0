# refused: result-mixed@9 result-mixed@17 shared-result@21 suffix@23 result-mixed@29
from openai import OpenAI

from somewhere import cached

client = OpenAI()

def one(q, flag):
    r = client.completions.create(model="m", prompt=q, max_tokens=1)
    if flag:
        r = cached(q)
    return r.choices[0].text

def two(q, flag):
    r = client.chat.completions.create(model="m", messages=[])
    while flag:
        r = client.completions.create(model="m", prompt=q, max_tokens=1)
    return r.choices[0].text

def three(q, flag):
    r = client.completions.create(model="m", prompt=q, max_tokens=1)
    if flag:
        r = client.completions.create(model="m", prompt=q, max_tokens=1, suffix="x")
    return r.choices[0].text

def _maybe(q, flag):
    if flag:
        return cached(q)
    return client.completions.create(model="m", prompt=q, max_tokens=1)

def four(q):
    return _maybe(q, True).choices[0].text
