async def main(openai_client):
    text = ""
    async for chunk in await openai_client.completions.create(model="m", prompt="one two", max_tokens=5, stream=True):
        part = chunk.choices[0].text
        text += part
    return text
