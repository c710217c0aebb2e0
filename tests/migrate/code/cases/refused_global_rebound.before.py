# refused: result-mixed@8
from openai import OpenAI
from somewhere import load
client = OpenAI()
last = load()

def ask(q):
    global last; last = client.completions.create(model="m", prompt=q, max_tokens=1)

def show():
    return last.choices[0].text
