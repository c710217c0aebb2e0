# refused: annotation@9 annotation@13
from openai import OpenAI
from openai.types import Completion

client = OpenAI()


def _ask(q) -> Completion:
    return client.completions.create(model="m", prompt=q, max_tokens=1)


def main():
    r: Completion = client.completions.create(model="m", prompt="x", max_tokens=1)
    print(r.choices[0].text, _ask("x").choices[0].text)
