class Assistant:
    def __init__(self, openai_client):
        self.openai_client = openai_client

    def _ask(self, prompt):
        return self.openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": prompt}], max_completion_tokens=5)

    def answer(self, prompt):
        return self._ask(prompt).choices[0].message.content


def main(openai_client):
    return Assistant(openai_client).answer("Hi")
