import asyncio


async def main(openai_client):
    replies = await asyncio.gather(
        *[openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": p}], max_completion_tokens=5) for p in ("a", "b")]
    )
    one, two = await asyncio.gather(
        openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "c"}], max_completion_tokens=5),
        openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "d"}], max_completion_tokens=5),
    )
    task = asyncio.create_task(openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "e"}], max_completion_tokens=5))
    last = await asyncio.wait_for(task, 30)
    return [reply.choices[0].message.content for reply in replies] + [one.choices[0].message.content, two.choices[0].message.content, last.choices[0].message.content]
