def main(client):
    params = dict(model="m", prompt="Hi", max_tokens=5)
    return client.completions.create(**params).choices[0].text
