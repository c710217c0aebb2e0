# refused: api-version@7 api-version@10 api-version@14
import openai
import requests
from openai import AzureOpenAI

openai.api_type, openai.api_version = "azure", "2022-12-01"
a = openai.Completion.create(engine="my-davinci", prompt="Hi", max_tokens=5).choices[0].text

client = AzureOpenAI(azure_endpoint="https://x.openai.azure.com", api_version="2022-12-01")
b = client.completions.create(model="my-davinci", prompt="Hi", max_tokens=5).choices[0].text


def ask(q):
    r = requests.post("https://x.openai.azure.com/openai/deployments/d/completions?api-version=2022-12-01", json={"prompt": q, "max_tokens": 5})
    return r.json()["choices"][0]["text"]
