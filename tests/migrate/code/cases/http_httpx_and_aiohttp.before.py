import aiohttp
import httpx


async def one(q):
    async with httpx.AsyncClient() as client:
        r = await client.post("http://localhost:8000/v1/completions", json={"model": "davinci-002", "prompt": q, "max_tokens": 3, "top_k": 4})
    return r.json()["choices"][0]["text"]


async def two(q, session: aiohttp.ClientSession):
    async with session.post("https://api.openai.com" + "/v1/completions", json={'prompt': q, 'model': 'davinci-002', 'max_tokens': 3}) as resp:
        result = await resp.json()
        return result['choices'][0]['text']
