def main(openai_client):
    return openai_client.completions.create(
        model="m",
        prompt="Again: " + openai_client.completions.create(model="m", prompt="Hi", max_tokens=5).choices[0].text,
        max_tokens=5,
    ).choices[0].text
