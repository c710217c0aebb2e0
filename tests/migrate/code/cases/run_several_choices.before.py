def main(openai_client):
    reply = openai_client.completions.create(model="m", prompt="Hi", max_tokens=5, n=2)
    texts = [choice.text for choice in reply.choices]
    for number, choice in enumerate(reply.choices):
        texts.append(f"{number}: {choice.text} {choice.finish_reason} {choice.index}")
    for choice in reply.choices[1:]:
        texts.append(choice.text)
    best = max(reply.choices, key=lambda choice: len(choice.text))
    first, second = reply.choices
    longest = sorted(reply.choices, key=lambda c: len(c.text))[-1]
    return [*texts, best.text, first.text, second.text, longest.text]
