# refused: result-mixed@8
from openai import OpenAI
from somewhere import load
client = OpenAI()

def ask(q):
    # one list, two kinds of answers
    items = [client.completions.create(model="m", prompt=q, max_tokens=1) for _ in "ab"]
    items.append(load())
    return [item.choices[0].text for item in items]
