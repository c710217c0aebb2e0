async def main(client):
    reply = await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5)
    return reply.choices[0].message.content + (await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Ho"}], max_completion_tokens=5)).choices[0].message.content
