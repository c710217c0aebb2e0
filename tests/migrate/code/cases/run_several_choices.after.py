def main(openai_client):
    reply = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5, n=2)
    texts = [choice.message.content for choice in reply.choices]
    for number, choice in enumerate(reply.choices):
        texts.append(f"{number}: {choice.message.content} {choice.finish_reason} {choice.index}")
    for choice in reply.choices[1:]:
        texts.append(choice.message.content)
    best = max(reply.choices, key=lambda choice: len(choice.message.content))
    first, second = reply.choices
    longest = sorted(reply.choices, key=lambda c: len(c.message.content))[-1]
    return [*texts, best.message.content, first.message.content, second.message.content, longest.message.content]
