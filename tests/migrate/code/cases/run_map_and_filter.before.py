def main(openai_client):
    choices = openai_client.completions.create(model="m", prompt="Hi", max_tokens=5, n=2).choices
    return [*map(lambda c: c.text, choices), list(filter(lambda c: c.text, choices))[0].text]
