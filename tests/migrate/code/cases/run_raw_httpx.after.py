import httpx


async def main(base_url):
    base = base_url.removesuffix("/v1")
    async with httpx.AsyncClient() as client:
        response = await client.post(url=f"{base}/v1/chat/completions", json={"model": "m", "messages": [{"role": "user", "content": "Hi"}], "max_completion_tokens": 5})
        return response.json().get("choices")[0].get("message").get("content")
