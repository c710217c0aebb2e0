async def _ask(openai_client, q):
    return await openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=5)


async def main(openai_client):
    reply = await _ask(openai_client, "Hi")
    return reply.choices[0].message.content + (await _ask(openai_client, "Ho")).choices[0].message.content
