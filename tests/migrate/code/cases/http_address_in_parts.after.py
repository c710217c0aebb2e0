import os

import requests

BASE = os.environ["BASE"]


class Api:
    base = "https://api.openai.com/v1"

    def ask(self, q):
        r = requests.post(f"{self.base}/chat/completions", json={"model": "m", "messages": [{"role": "user", "content": q}], "max_completion_tokens": 2})
        s = requests.post(BASE + "/chat/completions", json={"model": "m", "messages": [{"role": "user", "content": q}], "max_tokens": 2})
        return r.json()["choices"][0]["message"]["content"], s.json()["choices"][0]["message"]["content"]
