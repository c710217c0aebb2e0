# client: here, anthropic
"""The anthropic package: messages whole and streamed, a count, an error."""

import os

import anthropic

base = os.environ["BASE_URL"].removesuffix("/v1")
client = anthropic.Anthropic(base_url=base, api_key=os.environ.get("API_KEY", "none"), max_retries=0)
model = os.environ["MODEL"]
said = [{"role": "user", "content": "Say hello"}]

whole = client.messages.create(model=model, max_tokens=16, system="Be brief.", messages=said)
assert whole.content[0].text.strip(), whole
assert whole.usage.output_tokens > 0
assert whole.stop_reason in ("end_turn", "max_tokens")

with client.messages.stream(model=model, max_tokens=16, messages=said) as stream:
    text = "".join(stream.text_stream)
    final = stream.get_final_message()
assert text.strip()
assert final.usage.output_tokens > 0

try:
    client.messages.create(model=model, max_tokens=16, messages=[{"role": "wizard", "content": "x"}])
except anthropic.BadRequestError as error:
    assert error.body["error"]["type"] == "invalid_request_error", error.body
else:
    raise AssertionError("a role that nobody knows was taken")
print("ok")
