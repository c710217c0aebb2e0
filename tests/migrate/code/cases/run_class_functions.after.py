class Asker:
    client = None

    @staticmethod
    def _call(client, q): return client.chat.completions.create(model="m", messages=[{"role": "user", "content": q}], max_completion_tokens=5)

    @classmethod
    def ask(cls, client, q): return cls._call(client, q).choices[0].message.content

    def again(self, client, q):
        return Asker._call(client, q).choices[0].message.content + self._call(client, q).choices[0].message.content


def main(client):
    return Asker.ask(client, "Hi") + Asker().again(client, "Ho")
