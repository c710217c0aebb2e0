def main(openai_client):
    r = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5, n=2)
    texts = []
    for i in range(len(r.choices)):
        texts.append(r.choices[i].message.content)
    for name, choice in zip("ab", r.choices):
        texts.append(name + choice.message.content)
    texts.append(next(iter(r.choices)).message.content)
    texts += map(str, [c.message.content for c in list(reversed(r.choices))])
    texts.append(r.choices.pop().message.content)
    if r.choices and r.choices[0].message.content and len(r.choices) == 1: texts.append("one")
    return texts
