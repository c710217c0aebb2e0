# refused: http-body@18
import json

import requests

data = json.dumps({"prompt": "Once upon a time", "max_tokens": 15})
result = requests.post("https://api.openai.com/v1/engines/davinci/completions", headers={}, data=data)

body = {"model": "text-davinci-003", "prompt": "Hi", "max_tokens": 15}
sent = json.dumps(body).encode("utf-8")
response = requests.request("POST", "https://api.openai.com/v1/completions", headers={}, data=sent)
print(response.text)


def twice(other):
    kept = json.dumps({"model": "text-davinci-003", "prompt": "Hi"})
    other.keep(kept)
    return requests.post("https://api.openai.com/v1/completions", data=kept).json()["choices"][0]["text"]
