def _ask(openai_client, prompt):
    return openai_client.completions.create(model="m", prompt=prompt, max_tokens=5)


def _twice(openai_client, prompt):
    first = _ask(openai_client, prompt)
    if first.choices[0].text:
        return first
    return _ask(openai_client, prompt)


def main(openai_client):
    return _ask(openai_client, "Hi").choices[0].text + _twice(openai_client, "Ho").choices[0].text
