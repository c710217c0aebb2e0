import requests


def main(base_url, stop="x"):
    body = {"model": "gpt-5.4-mini", "messages": [{"role": "user", "content": "Hi"}], "max_completion_tokens": 5}
    if stop:
        body["stop"] = stop
    return requests.post(f"{base_url}/chat/completions", json=body, timeout=9).json()["choices"][0]["message"]["content"]
