async def _ask(client, q):
    return await client.completions.create(model="m", prompt=q, max_tokens=5)


async def main(client):
    reply = await _ask(client, "Hi")
    return reply.choices[0].text + (await _ask(client, "Ho")).choices[0].text
