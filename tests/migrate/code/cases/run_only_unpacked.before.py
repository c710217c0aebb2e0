def main(openai_client):
    options = {"model": "m", "prompt": "one two three"}
    one = openai_client.completions.create(**options)
    two = openai_client.completions.create(**options, max_tokens=2)
    return one.choices[0].text + two.choices[0].text
