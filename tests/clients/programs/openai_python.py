# client: here, openai
"""The openai package as it is now: all three APIs, whole and streamed, tools, errors."""

import os

import openai

client = openai.OpenAI(base_url=os.environ["BASE_URL"], api_key=os.environ.get("API_KEY", "none"), max_retries=0)
model = os.environ["MODEL"]

whole = client.completions.create(model=model, prompt="Say hello", max_tokens=8)
assert whole.choices[0].text.strip(), whole
assert whole.usage.total_tokens > 0

stream = client.completions.create(
    model=model, prompt=["one", "two"], max_tokens=6, stream=True, stream_options={"include_usage": True}
)
texts, used = {}, None
for chunk in stream:
    used = chunk.usage or used
    for choice in chunk.choices:
        texts[choice.index] = texts.get(choice.index, "") + choice.text
assert sorted(texts) == [0, 1], texts
assert used is not None
assert used.total_tokens > 0

said = [{"role": "user", "content": "Say hello"}]
chat = client.chat.completions.create(model=model, messages=said, max_tokens=8)
assert chat.choices[0].message.content.strip()
chunks = list(client.chat.completions.create(model=model, messages=said, max_tokens=8, stream=True))
assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices).strip()

answer = client.responses.create(model=model, input="Say hello", max_output_tokens=16)
assert answer.output_text.strip()
with client.responses.stream(model=model, input="Say hello", max_output_tokens=16) as events:
    last = list(events)[-1]
assert last.type in ("response.completed", "response.incomplete"), last
assert last.response.output_text.strip()

assert client.models.list().data
for stream in (False, True):
    try:
        client.completions.create(model=model, prompt="a", suffix="b", max_tokens=4, stream=stream)
    except openai.BadRequestError as error:
        assert error.param == "suffix", error.body
    else:
        raise AssertionError("a suffix was taken")
print("ok")
