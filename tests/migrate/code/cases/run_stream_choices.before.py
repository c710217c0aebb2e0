def main(openai_client):
    out = {0: "", 1: ""}
    with openai_client.completions.create(model="m", prompt="one two", max_tokens=5, n=2, stream=True) as stream:
        for event in stream:
            for choice in event.choices:
                out[choice.index] += choice.text
    return [out[0], out[1]]
