def main(client):
    reply = client.completions.create(
        model="gpt-3.5-turbo-instruct",
        prompt="Hello",  # a comment that stays here
    )
    other = client.completions.create(
        model="gpt-3.5-turbo-instruct",
        prompt="Hello"  # no comma
    )
    return reply.choices[0].text + other.choices[0].text
