async def main(client):
    reply = await client.completions.create(model="m", prompt="Hi", max_tokens=5)
    return reply.choices[0].text + (await client.completions.create(model="m", prompt="Ho", max_tokens=5)).choices[0].text
