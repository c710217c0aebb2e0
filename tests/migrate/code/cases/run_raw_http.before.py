import json

import requests


def main(base_url):
    base = base_url.removesuffix("/v1")
    response = requests.post(f"{base}/v1/completions", json={"model": "m", "prompt": "Hi", "max_tokens": 5}, timeout=9)
    response.raise_for_status()
    body = {"model": "davinci-002", "prompt": f"Say {response.status_code}"}
    with requests.Session() as session:
        again = session.post(base_url + "/completions", data=json.dumps(body), headers={"content-type": "application/json"})
    data = again.json()
    return response.json()["choices"][0]["text"] + data["choices"][0]["text"]
