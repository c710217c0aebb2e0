# refused: result-escapes@9
from somewhere import traced
from openai import OpenAI

client = OpenAI()

@traced
def _ask(q):
    return client.completions.create(model="m", prompt=q, max_tokens=1)

print(_ask("Hi").choices[0].text)
