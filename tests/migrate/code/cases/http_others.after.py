import requests
from fastapi import FastAPI
from fastapi.testclient import TestClient

app = FastAPI()


@app.post("/v1/completions")
def serve(body: dict):
    """POST https://api.openai.com/v1/completions"""
    return {"object": "text_completion", "choices": [{"text": body["prompt"]}]}


def test_own_server():
    r = TestClient(app).post("/v1/completions", json={"prompt": "x"})
    assert r.json()["choices"][0]["text"] == "x"


def elsewhere(q):
    r = requests.post("https://api.together.xyz/v1/completions", json={"model": "m", "prompt": q})
    s = requests.post("https://api.openai.com/v1/chat/completions", json={"model": "m", "messages": []})
    return r.json()["choices"][0]["text"], s.json()["choices"][0]["message"]["content"]
