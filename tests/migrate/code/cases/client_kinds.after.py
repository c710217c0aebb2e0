import os

import openai as oa
from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI

client = OpenAI()
azure = AzureOpenAI(azure_endpoint=os.environ["ENDPOINT"], api_version="2024-06-01")
local = OpenAI(base_url="http://localhost:8000/v1")
own = OpenAI(base_url="https://api.openai.com/v1")

a = client.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": "x"}], max_completion_tokens=1).choices[0].message.content
b = azure.chat.completions.create(model="text-davinci-003", messages=[{"role": "user", "content": "x"}], max_tokens=1).choices[0].message.content
c = local.chat.completions.create(model="davinci-002", messages=[{"role": "user", "content": "x"}], max_tokens=1).choices[0].message.content
d = own.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": "x"}], max_completion_tokens=1).choices[0].message.content
e = oa.OpenAI().chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": "x"}], max_completion_tokens=1).choices[0].message.content
f = oa.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": "x"}], max_completion_tokens=1).choices[0].message.content


async def more(client: AsyncOpenAI, azure: "AsyncAzureOpenAI | None" = None):
    g = await client.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": "x"}], max_completion_tokens=1)
    return g.choices[0].message.content
