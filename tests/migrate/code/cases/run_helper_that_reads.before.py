def text_of(reply, strip=True):
    text = reply.choices[0].text
    return text.strip() if strip else text


def main(openai_client):
    one = openai_client.completions.create(model="m", prompt="Hi", max_tokens=5)
    two = openai_client.completions.create(model="m", prompt="Ho", max_tokens=5)
    return text_of(one) + text_of(two, strip=False)
