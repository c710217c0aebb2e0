import json

import requests


def main(base_url):
    base = base_url.removesuffix("/v1")
    response = requests.post(f"{base}/v1/chat/completions", json={"model": "m", "messages": [{"role": "user", "content": "Hi"}], "max_completion_tokens": 5}, timeout=9)
    response.raise_for_status()
    body = {"model": "gpt-5.4-mini", "messages": [{"role": "user", "content": f"Say {response.status_code}"}], "max_completion_tokens": 16}
    with requests.Session() as session:
        again = session.post(base_url + "/chat/completions", data=json.dumps(body), headers={"content-type": "application/json"})
    data = again.json()
    return response.json()["choices"][0]["message"]["content"] + data["choices"][0]["message"]["content"]
