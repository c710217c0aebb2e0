# refused: result-mixed@10
from openai import OpenAI
from somewhere import load
client = OpenAI()

def text_of(reply):
    return reply.choices[0].text

def ask(q):
    return text_of(client.completions.create(model="m", prompt=q, max_tokens=1))

print(text_of(load()))
