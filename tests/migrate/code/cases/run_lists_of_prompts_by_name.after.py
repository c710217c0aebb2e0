def annotated(client, prompts: list[str]):
    return [choice.message.content for choice in [reply.choices[0] for reply in [client.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": prompt_}], max_completion_tokens=5) for prompt_ in prompts]]]


def main(client, words=("one", "two words")):
    prompts = [f"Say {word}" for word in words]
    out = [client.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": prompt_}], max_completion_tokens=5) for prompt_ in prompts]
    grown = []
    for word in words:
        grown.append("Now " + word)
    more = [client.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": prompt_}], max_completion_tokens=5) for prompt_ in grown]
    return [c.message.content for c in [reply.choices[0] for reply in out]] + [c.message.content for c in [reply.choices[0] for reply in more]] + annotated(client, list(words))
