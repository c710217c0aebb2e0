def main(openai_client):
    def events():
        return openai_client.completions.create(model="m", prompt="one two", max_tokens=5, stream=True)

    one = [e.choices[0].text for e in events() if e.choices]
    two = [e.choices and e.choices[0].text for e in events()]
    three = ""
    for e in events():
        if e.choices[0].finish_reason is None:
            three += e.choices[0].text
    four = ""
    for e in events():
        if not e.choices:
            continue
        four += e.choices[0].text
    return ["".join(one), "".join(two), three, four]
