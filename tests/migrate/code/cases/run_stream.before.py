def main(client):
    text = ""
    for chunk in client.completions.create(model="m", prompt="one two three", max_tokens=5, stream=True):
        text += chunk.choices[0].text
    return text
