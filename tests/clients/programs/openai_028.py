# client: old
"""A program of 2023: openai 0.28, Completions whole, streamed, several prompts, echo, an error."""

import os

import openai

openai.api_base, openai.api_key = os.environ["BASE_URL"], os.environ.get("API_KEY", "none")
model = os.environ["MODEL"]

whole = openai.Completion.create(model=model, prompt="Say hello", max_tokens=8)
assert whole.choices[0].text.strip(), whole
assert whole["usage"]["total_tokens"] == whole["usage"]["prompt_tokens"] + whole["usage"]["completion_tokens"]

pieces = openai.Completion.create(model=model, prompt="Say hello", max_tokens=8, temperature=0, stream=True)
assert "".join(piece["choices"][0]["text"] for piece in pieces if piece["choices"]).strip()

several = openai.Completion.create(model=model, prompt=["one", "two"], max_tokens=4, echo=True)
assert [choice.index for choice in several.choices] == [0, 1]
assert [choice.text.startswith(p) for choice, p in zip(several.choices, ("one", "two"))] == [True, True]

by_engine = openai.Completion.create(engine=model, prompt="Say hello", max_tokens=8)
assert by_engine.choices[0].text.strip()

try:
    openai.Completion.create(model=model, prompt="a", suffix="b", max_tokens=4)
except openai.error.InvalidRequestError as error:
    assert error.param == "suffix", error.param
else:
    raise AssertionError("a suffix was taken")
print("ok")
