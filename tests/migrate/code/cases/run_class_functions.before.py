class Asker:
    client = None

    @staticmethod
    def _call(client, q): return client.completions.create(model="m", prompt=q, max_tokens=5)

    @classmethod
    def ask(cls, client, q): return cls._call(client, q).choices[0].text

    def again(self, client, q):
        return Asker._call(client, q).choices[0].text + self._call(client, q).choices[0].text


def main(client):
    return Asker.ask(client, "Hi") + Asker().again(client, "Ho")
