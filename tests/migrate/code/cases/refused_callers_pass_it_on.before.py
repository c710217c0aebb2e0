# refused: result-escapes@7
from openai import OpenAI
from somewhere import keep
client = OpenAI()

def _ask(q):
    return client.completions.create(model="m", prompt=q, max_tokens=1)

print(_ask("a").choices[0].text)
keep(_ask("b"))
