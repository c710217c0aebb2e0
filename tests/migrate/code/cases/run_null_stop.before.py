def main(client):
    return client.completions.create(model="m", prompt="Hi", max_tokens=5, stop=None, stream=None).choices[0].text
