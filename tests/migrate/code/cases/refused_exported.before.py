# refused: result-escapes@9 result-escapes@13 result-escapes@18
from openai import OpenAI

__all__ = ["ask", "LAST", "MORE"]
client = OpenAI()


def ask(q):
    return client.completions.create(model="m", prompt=q, max_tokens=1)


print(ask("Hi").choices[0].text)
LAST = client.completions.create(model="m", prompt="x", max_tokens=1)
print(LAST.choices[0].text)

def later():
    global MORE
    MORE = client.completions.create(model="m", prompt="x", max_tokens=1)
