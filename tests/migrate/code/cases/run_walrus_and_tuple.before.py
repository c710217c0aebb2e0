def main(client):
    if (reply := client.completions.create(model="m", prompt="Hi", max_tokens=5)) and reply.choices:
        text = reply.choices[0].text
    one, two = client.completions.create(model="m", prompt="1", max_tokens=5), 2
    return text + one.choices[0].text + str(two)
