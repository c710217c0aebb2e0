import requests


def main(base_url, stop="x"):
    body = {"model": "davinci-002", "prompt": "Hi", "max_tokens": 5}
    if stop:
        body["stop"] = stop
    return requests.post(f"{base_url}/completions", json=body, timeout=9).json()["choices"][0]["text"]
