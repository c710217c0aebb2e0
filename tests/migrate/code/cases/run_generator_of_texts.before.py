def pieces(client, q):
    for chunk in client.completions.create(model="m", prompt=q, max_tokens=5, stream=True):
        yield chunk.choices[0].text


def main(client):
    return "".join(pieces(client, "one two"))
