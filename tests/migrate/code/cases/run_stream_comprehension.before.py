def main(openai_client):
    stream = openai_client.completions.create(model="m", prompt="one two three", max_tokens=5, stream=True)
    return "".join(chunk.choices[0].text for chunk in stream)
