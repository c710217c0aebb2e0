def main(openai_client):
    completions = openai_client.completions
    ask = openai_client.completions.create
    one = completions.create(model="m", prompt="Hi", max_tokens=5)
    two = ask(model="m", prompt="Ho", max_tokens=5)
    return one.choices[0].text + two.choices[0].text
