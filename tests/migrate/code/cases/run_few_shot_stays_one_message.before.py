def main(openai_client):
    return openai_client.completions.create(model="m", prompt="Q: 1+1?\nA: 2\n\nQ: 2+2?\nA:", max_tokens=5).choices[0].text
