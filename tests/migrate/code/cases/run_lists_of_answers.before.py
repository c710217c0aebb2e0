def main(openai_client):
    replies = [openai_client.completions.create(model="m", prompt=p, max_tokens=5) for p in ("a", "b")]
    more = []
    for p in ("c", "d"):
        more.append(openai_client.completions.create(model="m", prompt=p, max_tokens=5))
    texts = [reply.choices[0].text for reply in replies]
    for reply in more:
        texts.append(reply.choices[0].text)
    return texts + [replies[0].choices[0].text]
