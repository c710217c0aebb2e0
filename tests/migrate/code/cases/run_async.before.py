async def main(openai_client):
    reply = await openai_client.completions.create(model="m", prompt="Hi", max_tokens=5)
    return reply.choices[0].text + (await openai_client.completions.create(model="m", prompt="Ho", max_tokens=5)).choices[0].text
