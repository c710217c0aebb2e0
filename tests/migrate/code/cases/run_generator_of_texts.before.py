def pieces(openai_client, q):
    for chunk in openai_client.completions.create(model="m", prompt=q, max_tokens=5, stream=True):
        yield chunk.choices[0].text


def main(openai_client):
    return "".join(pieces(openai_client, "one two"))
