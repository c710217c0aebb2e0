import os

import openai as oa
from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI

client = OpenAI()
azure = AzureOpenAI(azure_endpoint=os.environ["ENDPOINT"], api_version="2024-06-01")
local = OpenAI(base_url="http://localhost:8000/v1")
own = OpenAI(base_url="https://api.openai.com/v1")

a = client.completions.create(model="davinci-002", prompt="x", max_tokens=1).choices[0].text
b = azure.completions.create(model="text-davinci-003", prompt="x", max_tokens=1).choices[0].text
c = local.completions.create(model="davinci-002", prompt="x", max_tokens=1).choices[0].text
d = own.completions.create(model="davinci-002", prompt="x", max_tokens=1).choices[0].text
e = oa.OpenAI().completions.create(model="davinci-002", prompt="x", max_tokens=1).choices[0].text
f = oa.completions.create(model="davinci-002", prompt="x", max_tokens=1).choices[0].text


async def more(client: AsyncOpenAI, azure: "AsyncAzureOpenAI | None" = None):
    g = await client.completions.create(model="davinci-002", prompt="x", max_tokens=1)
    return g.choices[0].text
