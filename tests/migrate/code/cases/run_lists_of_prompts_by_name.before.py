def annotated(client, prompts: list[str]):
    return [choice.text for choice in client.completions.create(model="davinci-002", prompt=prompts, max_tokens=5).choices]


def main(client, words=("one", "two words")):
    prompts = [f"Say {word}" for word in words]
    out = client.completions.create(model="davinci-002", prompt=prompts, max_tokens=5)
    grown = []
    for word in words:
        grown.append("Now " + word)
    more = client.completions.create(model="davinci-002", prompt=grown, max_tokens=5)
    return [c.text for c in out.choices] + [c.text for c in more.choices] + annotated(client, list(words))
