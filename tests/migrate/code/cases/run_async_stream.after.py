async def main(openai_client):
    text = ""
    async for chunk in await openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "one two"}], max_completion_tokens=5, stream=True):
        if not chunk.choices:
            continue
        part = chunk.choices[0].delta.content or ""
        text += part
    return text
