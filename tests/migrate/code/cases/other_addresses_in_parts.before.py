import requests

BASE = "https://api.together.xyz/v1"
r = requests.post(BASE + "/completions", json={"model": "m", "prompt": "q", "max_tokens": 2})
print(r.json()["choices"][0]["text"])
