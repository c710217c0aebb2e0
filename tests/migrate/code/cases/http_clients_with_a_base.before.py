# refused: not-understood@29
import httpx
import openai

web = httpx.Client(base_url="https://api.openai.com/v1")


def own(q):
    sent = {"model": "text-davinci-003", "prompt": q, "max_tokens": 5}
    return web.post("/completions", json=sent).json()["choices"][0]["text"]


class Local:
    def __init__(self):
        self.web = httpx.AsyncClient(base_url="http://localhost:8000/")

    async def ask(self, q):
        reply = await self.web.post("/v1/completions", json={"model": "m", "prompt": q, "max_tokens": 5})
        return reply.json()["choices"][0]["text"]


def theirs(q):
    with httpx.Client(base_url="https://svc.example.com/api") as client:
        return client.post("/completions", json={"prompt": q}).json()["choices"][0]["text"]


def first_of_all(q):
    "Before there was Completion, engines were asked."
    return openai.Engine(id="davinci").generate(prompt=q, max_tokens=5)
