def main(client):
    return client.completions.create(model="m", prompt="Hi", max_tokens=None).choices[0].text
