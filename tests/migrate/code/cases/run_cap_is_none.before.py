def main(openai_client):
    return openai_client.completions.create(model="m", prompt="Hi", max_tokens=None).choices[0].text
