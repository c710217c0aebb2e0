import os

import requests

BASE = os.environ["BASE"]


class Api:
    base = "https://api.openai.com/v1"

    def ask(self, q):
        r = requests.post(f"{self.base}/completions", json={"model": "m", "prompt": q, "max_tokens": 2})
        s = requests.post(BASE + "/completions", json={"model": "m", "prompt": q, "max_tokens": 2})
        return r.json()["choices"][0]["text"], s.json()["choices"][0]["text"]
