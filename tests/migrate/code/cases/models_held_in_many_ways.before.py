import argparse
import os
from dataclasses import dataclass, field

import openai
import tiktoken

MODELS = {"small": "text-ada-001", "large": "text-davinci-003"}
WINDOW_TOKENS = 4097
client = openai.OpenAI()
parser = argparse.ArgumentParser()
parser.add_argument("--model-name", default="text-davinci-003")
args = parser.parse_args()
encoding = tiktoken.encoding_for_model("text-davinci-003")


@dataclass
class Settings:
    engine: str = "text-curie-001"
    other: str = field(default="text-davinci-002")


class Service:
    model = "text-davinci-003"

    def ask(self, q):
        return client.completions.create(model=self.model, prompt=q, max_tokens=5).choices[0].text


def option(q):
    return client.completions.create(model=args.model_name, prompt=q, max_tokens=5).choices[0].text


def environment(q):
    return client.completions.create(model=os.environ.get("M", "text-davinci-003"), prompt=q, max_tokens=5).choices[0].text


def looked_up(q):
    return client.completions.create(model=MODELS["large"], prompt=q, max_tokens=5).choices[0].text


def dataclasses(q, settings: Settings):
    a = client.completions.create(model=settings.engine, prompt=q, max_tokens=5).choices[0].text
    return a + client.completions.create(model=settings.other, prompt=q, max_tokens=5).choices[0].text


def branches(q, big=False):
    engine = "text-ada-001"
    if big:
        engine = "text-davinci-002"
    r = client.completions.create(model=engine, prompt=q, max_tokens=5)
    assert r.model.startswith("text-")
    return r.choices[0].text
