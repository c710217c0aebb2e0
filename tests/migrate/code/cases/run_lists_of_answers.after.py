def main(openai_client):
    replies = [openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": p}], max_completion_tokens=5) for p in ("a", "b")]
    more = []
    for p in ("c", "d"):
        more.append(openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": p}], max_completion_tokens=5))
    texts = [reply.choices[0].message.content for reply in replies]
    for reply in more:
        texts.append(reply.choices[0].message.content)
    return texts + [replies[0].choices[0].message.content]
