import asyncio


async def main(openai_client):
    replies = await asyncio.gather(
        *[openai_client.completions.create(model="m", prompt=p, max_tokens=5) for p in ("a", "b")]
    )
    one, two = await asyncio.gather(
        openai_client.completions.create(model="m", prompt="c", max_tokens=5),
        openai_client.completions.create(model="m", prompt="d", max_tokens=5),
    )
    task = asyncio.create_task(openai_client.completions.create(model="m", prompt="e", max_tokens=5))
    last = await asyncio.wait_for(task, 30)
    return [reply.choices[0].text for reply in replies] + [one.choices[0].text, two.choices[0].text, last.choices[0].text]
