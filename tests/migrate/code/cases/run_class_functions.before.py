class Asker:
    openai_client = None

    @staticmethod
    def _call(openai_client, q): return openai_client.completions.create(model="m", prompt=q, max_tokens=5)

    @classmethod
    def ask(cls, openai_client, q): return cls._call(openai_client, q).choices[0].text

    def again(self, openai_client, q):
        return Asker._call(openai_client, q).choices[0].text + self._call(openai_client, q).choices[0].text


def main(openai_client):
    return Asker.ask(openai_client, "Hi") + Asker().again(openai_client, "Ho")
