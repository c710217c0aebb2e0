class Assistant:
    def __init__(self, openai_client):
        self.openai_client = openai_client

    def _ask(self, prompt):
        return self.openai_client.completions.create(model="m", prompt=prompt, max_tokens=5)

    def answer(self, prompt):
        return self._ask(prompt).choices[0].text


def main(openai_client):
    return Assistant(openai_client).answer("Hi")
