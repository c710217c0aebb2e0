def main(client):
    return client.completions.create(
        model="m",
        prompt="Again: " + client.completions.create(model="m", prompt="Hi", max_tokens=5).choices[0].text,
        max_tokens=5,
    ).choices[0].text
