STREAMS = True


def ask(client, q, stream=False):
    reply = client.completions.create(model="davinci-002", prompt=q, max_tokens=5, stream=stream)
    if not stream:
        return reply.choices[0].text
    return "".join([chunk.choices[0].text for chunk in reply if chunk.choices])


def main(client):
    texts = [ask(client, "Hi"), ask(client, "Ho", stream=True)]
    for chunk in client.completions.create(model="davinci-002", prompt="Ha", max_tokens=5, stream=STREAMS):
        texts.append(chunk.choices[0].text)
    return "".join(texts)
