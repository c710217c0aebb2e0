class Assistant:
    def __init__(self, client):
        self.client = client

    def _ask(self, prompt):
        return self.client.chat.completions.create(model="m", messages=[{"role": "user", "content": prompt}], max_completion_tokens=5)

    def answer(self, prompt):
        return self._ask(prompt).choices[0].message.content


def main(client):
    return Assistant(client).answer("Hi")
