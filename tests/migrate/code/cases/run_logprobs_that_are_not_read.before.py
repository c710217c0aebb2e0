def main(openai_client):
    return openai_client.completions.create(model="m", prompt="Hi", logprobs=3, max_tokens=5).choices[0].text
