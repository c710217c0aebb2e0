def main(client):
    options = {"model": "m", "prompt": "one two three"}
    one = client.completions.create(**options)
    two = client.completions.create(**options, max_tokens=2)
    return one.choices[0].text + two.choices[0].text
