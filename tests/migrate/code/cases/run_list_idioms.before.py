def main(openai_client):
    r = openai_client.completions.create(model="m", prompt="Hi", max_tokens=5, n=2)
    texts = []
    for i in range(len(r.choices)):
        texts.append(r.choices[i].text)
    for name, choice in zip("ab", r.choices):
        texts.append(name + choice.text)
    texts.append(next(iter(r.choices)).text)
    texts += map(str, [c.text for c in list(reversed(r.choices))])
    texts.append(r.choices.pop().text)
    if r.choices and r.choices[0].text and len(r.choices) == 1: texts.append("one")
    return texts
