"""Completions stops after 16 tokens where no cap is given: that is written out."""


def main(client):
    return client.chat.completions.create(model="gpt-5.4-mini", messages=[{"role": "user", "content": "one two three"}], max_completion_tokens=16).choices[0].message.content
