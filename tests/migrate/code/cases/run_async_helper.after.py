async def _ask(client, q):
    return await client.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=5)


async def main(client):
    reply = await _ask(client, "Hi")
    return reply.choices[0].message.content + (await _ask(client, "Ho")).choices[0].message.content
