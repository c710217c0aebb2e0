def main(client):
    collected = []
    for event in client.completions.create(model="m", prompt="one two", max_tokens=5, stream=True):
        collected.append(event)
        print(event.choices[0].text)
    return "".join([event.choices[0].text for event in collected])
