def main(client, stop="x", cap=None):
    params = {"model": "gpt-5.4-mini", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0, "max_completion_tokens": 16}
    if stop:
        params["stop"] = [stop]
    if cap is not None:
        params["max_completion_tokens"] = cap
    one = client.chat.completions.create(**params)
    more = {}
    more["messages"] = [{"role": "user", "content": "one two"}]
    more["max_completion_tokens"] = 7
    more.update(temperature=1)
    print(len(more), more["temperature"])
    two = client.chat.completions.create(model="gpt-5.4-mini", **more)
    return one.choices[0].message.content + two.choices[0].message.content
