import argparse
import os
from dataclasses import dataclass, field

import openai
import tiktoken

MODELS = {"small": "text-ada-001", "large": "gpt-5.4-mini"}
WINDOW_TOKENS = 4097
client = openai.OpenAI()
parser = argparse.ArgumentParser()
parser.add_argument("--model-name", default="gpt-5.4-mini")
args = parser.parse_args()
encoding = tiktoken.encoding_for_model("text-davinci-003")


@dataclass
class Settings:
    engine: str = "gpt-5.4-mini"
    other: str = field(default="gpt-5.4-mini")


class Service:
    model = "gpt-5.4-mini"

    def ask(self, q):
        return client.chat.completions.create(model=self.model, messages=[{"role": "user", "content": q}], max_completion_tokens=5).choices[0].message.content


def option(q):
    return client.chat.completions.create(model=args.model_name, messages=[{"role": "user", "content": q}], max_completion_tokens=5).choices[0].message.content


def environment(q):
    return client.chat.completions.create(model=os.environ.get("M", "gpt-5.4-mini"), messages=[{"role": "user", "content": q}], max_completion_tokens=5).choices[0].message.content


def looked_up(q):
    return client.chat.completions.create(model=MODELS["large"], messages=[{"role": "user", "content": q}], max_completion_tokens=5).choices[0].message.content


def dataclasses(q, settings: Settings):
    a = client.chat.completions.create(model=settings.engine, messages=[{"role": "user", "content": q}], max_completion_tokens=5).choices[0].message.content
    return a + client.chat.completions.create(model=settings.other, messages=[{"role": "user", "content": q}], max_completion_tokens=5).choices[0].message.content


def branches(q, big=False):
    engine = "gpt-5.4-mini"
    if big:
        engine = "gpt-5.4-mini"
    r = client.chat.completions.create(model=engine, messages=[{"role": "user", "content": q}], max_completion_tokens=5)
    assert r.model.startswith("text-")
    return r.choices[0].message.content
