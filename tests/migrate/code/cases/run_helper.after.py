def _ask(client, prompt):
    return client.chat.completions.create(model="m", messages=[{"role": "user", "content": prompt}], max_completion_tokens=5)


def _twice(client, prompt):
    first = _ask(client, prompt)
    if first.choices[0].message.content:
        return first
    return _ask(client, prompt)


def main(client):
    return _ask(client, "Hi").choices[0].message.content + _twice(client, "Ho").choices[0].message.content
