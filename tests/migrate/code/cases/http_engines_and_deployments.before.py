import requests

api_name = "completions"
URL = f"https://api.openai.com/v1/{api_name}"


def constant(q):
    r = requests.post(URL, json={"model": "text-davinci-003", "prompt": q, "max_tokens": 5})
    return r.json()["choices"][0]["text"]


def engine(q):
    r = requests.post("https://api.openai.com/v1/engines/davinci/completions", json={"prompt": q, "max_tokens": 5})
    return r.json()["choices"][0]["text"]


def any_engine(q, engine):
    r = requests.post(f"https://api.openai.com/v1/engines/{engine}/completions", json={"prompt": q, "max_tokens": 5})
    return r.json()["choices"][0]["text"]


def azure(q):
    url = "https://x.openai.azure.com/openai/deployments/d/completions?api-version=2024-06-01"
    r = requests.post(url, json={"prompt": q, "max_tokens": 5})
    return r.json()["choices"][0]["text"]
