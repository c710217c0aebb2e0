# refused: result-escapes@8
from concurrent.futures import ThreadPoolExecutor

from openai import OpenAI
client = OpenAI()

def _ask(q):
    return client.completions.create(model="m", prompt=q, max_tokens=1)

with ThreadPoolExecutor() as pool:
    print([r.choices[0].text for r in pool.map(_ask, ["a", "b"])])
