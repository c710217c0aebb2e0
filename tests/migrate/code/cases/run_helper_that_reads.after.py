def text_of(reply, strip=True):
    text = reply.choices[0].message.content
    return text.strip() if strip else text


def main(openai_client):
    one = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], max_completion_tokens=5)
    two = openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Ho"}], max_completion_tokens=5)
    return text_of(one) + text_of(two, strip=False)
