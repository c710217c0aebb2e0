# refused: http-body@18
import json

import requests

data = json.dumps({"messages": [{"role": "user", "content": "Once upon a time"}], "max_completion_tokens": 15, "model": "gpt-5.4-mini"})
result = requests.post("https://api.openai.com/v1/chat/completions", headers={}, data=data)

body = {"model": "gpt-5.4-mini", "messages": [{"role": "user", "content": "Hi"}], "max_completion_tokens": 15}
sent = json.dumps(body).encode("utf-8")
response = requests.request("POST", "https://api.openai.com/v1/chat/completions", headers={}, data=sent)
print(response.text)


def twice(other):
    kept = json.dumps({"model": "text-davinci-003", "prompt": "Hi"})
    other.keep(kept)
    return requests.post("https://api.openai.com/v1/completions", data=kept).json()["choices"][0]["text"]
