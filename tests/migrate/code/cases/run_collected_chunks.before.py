def main(openai_client):
    collected = []
    for event in openai_client.completions.create(model="m", prompt="one two", max_tokens=5, stream=True):
        collected.append(event)
        print(event.choices[0].text)
    return "".join([event.choices[0].text for event in collected])
