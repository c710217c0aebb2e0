class Asker:
    openai_client = None

    @staticmethod
    def _call(openai_client, q): return openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=5)

    @classmethod
    def ask(cls, openai_client, q): return cls._call(openai_client, q).choices[0].message.content

    def again(self, openai_client, q):
        return Asker._call(openai_client, q).choices[0].message.content + self._call(openai_client, q).choices[0].message.content


def main(openai_client):
    return Asker.ask(openai_client, "Hi") + Asker().again(openai_client, "Ho")
