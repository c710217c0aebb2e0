def _ask(client, prompt):
    return client.completions.create(model="m", prompt=prompt, max_tokens=5)


def _twice(client, prompt):
    first = _ask(client, prompt)
    if first.choices[0].text:
        return first
    return _ask(client, prompt)


def main(client):
    return _ask(client, "Hi").choices[0].text + _twice(client, "Ho").choices[0].text
