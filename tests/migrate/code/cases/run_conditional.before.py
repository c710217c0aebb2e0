def main(client, fast=True):
    if fast:
        reply = client.completions.create(model="m", prompt="Hi", max_tokens=5)
        text = reply.choices[0].text
    else:
        reply = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
        text = reply.choices[0].message.content
    other = client.completions.create(model="m", prompt="A", max_tokens=5) if fast else None
    return text + other.choices[0].text
