# refused: not-understood@9
import anthropic
import litellm
from groq import Groq
from together import Together

claude = anthropic.Anthropic()
a = claude.completions.create(model="claude-2", prompt="\n\nHuman: x\n\nAssistant:", max_tokens_to_sample=5)
b = litellm.text_completion(model="m", prompt="x")
c = Together().completions.create(model="m", prompt="x", max_tokens=1).choices[0].text
d = Groq().completions.create(model="m", prompt="x", max_tokens=1).choices[0].text


class Service:
    def __init__(self):
        self.client = Together()

    def ask(self, q):
        return self.client.completions.create(model="m", prompt=q, max_tokens=1).choices[0].text


def ask(client, q):
    return client.completions.create(model="m", prompt=q, max_tokens=1).choices[0].text
