# refused: result-escapes@10 result-escapes@11 result-escapes@12
from openai import OpenAI

from somewhere import gather, store

client = OpenAI()

def print(x): store.save(x)

print(client.completions.create(model="m", prompt="x", max_tokens=1))
gather(client.completions.create(model="m", prompt="x", max_tokens=1))
store.info(client.completions.create(model="m", prompt="x", max_tokens=1))
