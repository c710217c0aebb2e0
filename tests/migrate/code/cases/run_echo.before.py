def ask(client, q):
    r = client.completions.create(model="davinci-002", prompt=q, max_tokens=5, echo=True)
    return r.choices[0].text


def main(client):
    q = "Say hi"
    r = client.completions.create(model="davinci-002", prompt=q, max_tokens=5, echo=True, n=2)
    return [choice.text.strip() for choice in r.choices], ask(client, "Ho")[len("Ho"):]
