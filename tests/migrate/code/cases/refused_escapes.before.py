# refused: result-escapes@9 result-escapes@13 result-escapes@14 result-escapes@17 result-escapes@18 result-escapes@19 result-escapes@20 result-escapes@21 result-shape@22 result-escapes@24 result-escapes@28
from openai import OpenAI

from somewhere import keep

client = OpenAI()

def public(q):
    return client.completions.create(model="m", prompt=q, max_tokens=1)

class Store:
    def fill(self, q):
        self.reply = client.completions.create(model="m", prompt=q, max_tokens=1)
        r = client.completions.create(model="m", prompt=q, max_tokens=1)
        print(r.choices[0].text)
        keep(r)
        keep(client.completions.create(model="m", prompt=q, max_tokens=1).choices[0])
        yield client.completions.create(model="m", prompt=q, max_tokens=1)
        x = {"r": client.completions.create(model="m", prompt=q, max_tokens=1)}
        client.completions.create(model="m", prompt=q, max_tokens=1).choices[0].text = "x"
        y = f"{client.completions.create(model='m', prompt=q, max_tokens=1)}"
        print(client.completions.create(model="m", prompt=q, max_tokens=1).object)
        z = {}
        z["a"] = client.completions.create(model="m", prompt=q, max_tokens=1)
        return x, y

def _dunder(q):
    return client.completions.create(model="m", prompt=q, max_tokens=1)
