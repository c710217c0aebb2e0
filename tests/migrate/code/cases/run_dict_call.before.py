def main(openai_client):
    params = dict(model="m", prompt="Hi", max_tokens=5)
    return openai_client.completions.create(**params).choices[0].text
