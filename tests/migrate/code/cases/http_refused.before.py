# refused: http-body@6 http-stream@8 http-url@11 suffix@14 result-escapes@15
import requests


def ask(payload, q):
    a = requests.post("https://api.openai.com/v1/completions", json=payload)
    print(a.json()["choices"][0]["text"])
    b = requests.post("https://api.openai.com/v1/completions", json={"model": "m", "prompt": q, "stream": True}, stream=True)
    for line in b.iter_lines():
        print(line)
    url = "https://api.openai.com/v1/completions"
    send(url)
    # each for itself
    requests.post("https://api.openai.com/v1/completions", json={"model": "m", "prompt": q, "suffix": "x"})
    return requests.post("https://api.openai.com/v1/completions", json={"model": "m", "prompt": q}).json()
