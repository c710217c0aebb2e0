# refused: result-escapes@6 result-escapes@8 result-escapes@12
from openai import OpenAI
client = OpenAI()

def choices(q):
    return client.completions.create(model="m", prompt=q, max_tokens=1).choices
def stream(q):
    yield from client.completions.create(model="m", prompt=q, max_tokens=1, stream=True)

class Model(Base):
    def _call(self, q):
        return client.completions.create(model="m", prompt=q, max_tokens=1)
