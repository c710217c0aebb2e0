def _ask(openai_client, prompt):
    return openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": prompt}], max_completion_tokens=5)


def _twice(openai_client, prompt):
    first = _ask(openai_client, prompt)
    if first.choices[0].message.content:
        return first
    return _ask(openai_client, prompt)


def main(openai_client):
    return _ask(openai_client, "Hi").choices[0].message.content + _twice(openai_client, "Ho").choices[0].message.content
