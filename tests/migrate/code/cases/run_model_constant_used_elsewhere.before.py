MODEL = "gpt-3.5-turbo-instruct"


def main(client):
    text = client.completions.create(model=MODEL, prompt="Hi", max_tokens=5).choices[0].text
    return f"{len(MODEL)}: {text}"
