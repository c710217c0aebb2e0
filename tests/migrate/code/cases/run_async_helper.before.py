async def _ask(openai_client, q):
    return await openai_client.completions.create(model="m", prompt=q, max_tokens=5)


async def main(openai_client):
    reply = await _ask(openai_client, "Hi")
    return reply.choices[0].text + (await _ask(openai_client, "Ho")).choices[0].text
