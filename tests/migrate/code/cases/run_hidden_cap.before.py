"""Completions stops after 16 tokens where no cap is given: that is written out."""


def main(client):
    return client.completions.create(model="davinci-002", prompt="one two three").choices[0].text
