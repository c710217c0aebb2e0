class Assistant:
    def __init__(self, client):
        self.client = client

    def _ask(self, prompt):
        return self.client.completions.create(model="m", prompt=prompt, max_tokens=5)

    def answer(self, prompt):
        return self._ask(prompt).choices[0].text


def main(client):
    return Assistant(client).answer("Hi")
