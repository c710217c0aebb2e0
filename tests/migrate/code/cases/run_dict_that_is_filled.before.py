def main(client, stop="x", cap=None):
    params = {"model": "davinci-002", "prompt": "Hi", "temperature": 0}
    if stop:
        params["stop"] = [stop]
    if cap is not None:
        params["max_tokens"] = cap
    one = client.completions.create(**params)
    more = {}
    more["prompt"] = "one two"
    more["max_tokens"] = 7
    more.update(temperature=1)
    print(len(more), more["temperature"])
    two = client.completions.create(model="davinci-002", **more)
    return one.choices[0].text + two.choices[0].text
