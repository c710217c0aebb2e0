def main(openai_client, fast=True):
    if fast:
        reply = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5)
        text = reply.choices[0].message.content
    else:
        reply = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
        text = reply.choices[0].message.content
    other = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "A"}], max_completion_tokens=5) if fast else None
    return text + other.choices[0].message.content
