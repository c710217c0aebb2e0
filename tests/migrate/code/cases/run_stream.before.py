def main(openai_client):
    text = ""
    for chunk in openai_client.completions.create(model="m", prompt="one two three", max_tokens=5, stream=True):
        text += chunk.choices[0].text
    return text
