class Service:
    def __init__(self, client):
        self.client = client
        self.model = "my-model"

    def ask(self, q):
        reply = self.client.completions.create(model=self.model, prompt=q, max_tokens=5)
        return [c.text for c in reply.choices][0]

    def stream(self, q):
        with self.client.completions.create(model=self.model, prompt=q, max_tokens=5, stream=True) as events:
            for event in events:
                yield event.choices[0].text


def main(client):
    service = Service(client)
    return service.ask("Hi") + "".join(service.stream("one"))
