# refused: function-escapes@9 function-escapes@10 result-escapes@11 raw-response@13 raw-response@15
import functools

import openai
from openai import OpenAI

client = OpenAI()

ask = functools.partial(client.completions.create, model="m")
retry(openai.Completion.create, model="m", prompt="x")
retry(lambda: client.completions.create(model="m", prompt="x"))

with client.completions.with_streaming_response.create(model="m", prompt="x") as lines:
    print(lines.iter_lines())
print(client.completions.with_raw_response.create(model="m", prompt="x").text)
