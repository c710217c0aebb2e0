def main(client):
    options = {"model": "davinci-002", "max_tokens": 5, "temperature": 0, "echo": False}
    one = client.completions.create(prompt="Hi", **options)
    two = client.completions.create(prompt="Ho", **options)
    return one.choices[0].text + two.choices[0].text
