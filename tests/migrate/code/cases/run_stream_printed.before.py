def main(openai_client):
    for chunk in openai_client.completions.create(model="m", prompt="one two", max_tokens=5, stream=True):
        print(f"{chunk.choices[0].text}", end="", flush=True)
    for chunk in openai_client.completions.create(model="m", prompt="one", max_tokens=5, stream=True): print(chunk.choices[0].text)
    return "printed"
