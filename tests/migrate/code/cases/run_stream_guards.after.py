def main(openai_client):
    def events():
        return openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "one two"}], max_completion_tokens=5, stream=True)

    one = [e.choices[0].delta.content or "" for e in events() if e.choices]
    two = [e.choices and (e.choices[0].delta.content or "") for e in events()]
    three = ""
    for e in events():
        if not e.choices:
            continue
        if e.choices[0].finish_reason is None:
            three += e.choices[0].delta.content or ""
    four = ""
    for e in events():
        if not e.choices:
            continue
        four += e.choices[0].delta.content or ""
    return ["".join(one), "".join(two), three, four]
