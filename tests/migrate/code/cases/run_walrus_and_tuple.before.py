def main(openai_client):
    if (reply := openai_client.completions.create(model="m", prompt="Hi", max_tokens=5)) and reply.choices:
        text = reply.choices[0].text
    one, two = openai_client.completions.create(model="m", prompt="1", max_tokens=5), 2
    return text + one.choices[0].text + str(two)
