import aiohttp
import httpx


async def one(q):
    async with httpx.AsyncClient() as client:
        r = await client.post("http://localhost:8000/v1/chat/completions", json={"model": "davinci-002", "messages": [{"role": "user", "content": q}], "max_tokens": 3, "top_k": 4})
    return r.json()["choices"][0]["message"]["content"]


async def two(q, session: aiohttp.ClientSession):
    async with session.post("https://api.openai.com" + "/v1/chat/completions", json={'messages': [{'role': 'user', 'content': q}], 'model': 'gpt-5.4-mini', 'max_completion_tokens': 3}) as resp:
        result = await resp.json()
        return result['choices'][0]['message']['content']
