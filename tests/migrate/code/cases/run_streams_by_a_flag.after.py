STREAMS = True


def ask(client, q, stream=False):
    reply = client.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": q}], max_completion_tokens=5, stream=stream)
    if not stream:
        return reply.choices[0].message.content
    return "".join([chunk.choices[0].delta.content or "" for chunk in reply if chunk.choices])


def main(client):
    texts = [ask(client, "Hi"), ask(client, "Ho", stream=True)]
    for chunk in client.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": "Ha"}], max_completion_tokens=5, stream=STREAMS):
        if not chunk.choices:
            continue
        texts.append(chunk.choices[0].delta.content or "")
    return "".join(texts)
