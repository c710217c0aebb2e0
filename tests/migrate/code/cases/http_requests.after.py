import json

import requests

URL = "https://api.openai.com/v1/chat/completions"


def ask(q, key):
    response = requests.post(
        URL,
        headers={"Authorization": f"Bearer {key}"},
        json={"model": "gpt-5.4-mini", "messages": [{"role": "user", "content": q}], "max_completion_tokens": 7},
        timeout=30,
    )
    response.raise_for_status()
    if response.status_code != 200:
        raise RuntimeError(response.text)
    return response.json()["choices"][0]["message"]["content"]


def other(q, base):
    payload = {
        "model": "gpt-5.4-mini",
        "messages": [{"role": "user", "content": q}],
        "max_completion_tokens": 16,
    }
    r = requests.post(f"{base}/v1/chat/completions", data=json.dumps(payload))
    data = json.loads(r.text)
    return data["choices"][0]["message"]["content"].strip()
