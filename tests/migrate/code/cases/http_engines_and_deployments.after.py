import requests

api_name = "chat/completions"
URL = f"https://api.openai.com/v1/{api_name}"


def constant(q):
    r = requests.post(URL, json={"model": "gpt-5.4-mini", "messages": [{"role": "user", "content": q}], "max_completion_tokens": 5})
    return r.json()["choices"][0]["message"]["content"]


def engine(q):
    r = requests.post("https://api.openai.com/v1/chat/completions", json={"messages": [{"role": "user", "content": q}], "max_completion_tokens": 5, "model": "gpt-5.4-mini"})
    return r.json()["choices"][0]["message"]["content"]


def any_engine(q, engine):
    r = requests.post(f"https://api.openai.com/v1/chat/completions", json={"messages": [{"role": "user", "content": q}], "max_completion_tokens": 5, "model": engine})
    return r.json()["choices"][0]["message"]["content"]


def azure(q):
    url = "https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-06-01"
    r = requests.post(url, json={"messages": [{"role": "user", "content": q}], "max_tokens": 5})
    return r.json()["choices"][0]["message"]["content"]
