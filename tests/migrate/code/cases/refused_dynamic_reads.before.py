# refused: result-escapes@9 result-escapes@11 result-escapes@13 result-escapes@15 result-escapes@17 result-escapes@19
import copy, json

from openai import OpenAI

client = OpenAI()

def ask(q, key):
    a = client.completions.create(model="m", prompt=q, max_tokens=1)
    print(getattr(a.choices[0], "text"))
    b = client.completions.create(model="m", prompt=q, max_tokens=1)
    keep(json.dumps(b.model_dump()))
    c = client.completions.create(model="m", prompt=q, max_tokens=1)
    print(c.model_dump()[key])
    d = client.completions.create(model="m", prompt=q, max_tokens=1)
    keep(str(d.choices[0]))
    e = client.completions.create(model="m", prompt=q, max_tokens=1)
    print(copy.copy(e).choices[0].text)
    f = client.completions.create(model="m", prompt=q, max_tokens=1)
    match f:
        case _:
            print(f.choices[0].text)
