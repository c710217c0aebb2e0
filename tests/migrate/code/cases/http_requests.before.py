import json

import requests

URL = "https://api.openai.com/v1/completions"


def ask(q, key):
    response = requests.post(
        URL,
        headers={"Authorization": f"Bearer {key}"},
        json={"model": "text-davinci-003", "prompt": q, "max_tokens": 7},
        timeout=30,
    )
    response.raise_for_status()
    if response.status_code != 200:
        raise RuntimeError(response.text)
    return response.json()["choices"][0]["text"]


def other(q, base):
    payload = {
        "model": "davinci-002",
        "prompt": q,
    }
    r = requests.post(f"{base}/v1/completions", data=json.dumps(payload))
    data = json.loads(r.text)
    return data["choices"][0]["text"].strip()
