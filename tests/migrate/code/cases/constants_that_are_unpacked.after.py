# refused: unpacked-arguments@20
import json

import openai
import requests

OPTIONS = dict(model="gpt-5.4-mini", max_completion_tokens=128, top_p=1)
FILLED = {"model": "text-davinci-002"}


def ask(prompt):
    return openai.ChatCompletion.create(messages=[{"role": "user", "content": prompt}], temperature=0, **OPTIONS).choices[0].message.content


def fill():
    FILLED["max_tokens"] = 5


def ask_filled(prompt):
    return openai.Completion.create(prompt=prompt, **FILLED).choices[0].text


def ask_server(prompt):
    body = {"messages": [{"role": "user", "content": prompt}], "max_tokens": 200}
    response = requests.post("http://127.0.0.1:5000/v1/chat/completions", json=body)
    return json.loads(response.content.decode("utf-8"))["choices"][0]["message"]["content"]
