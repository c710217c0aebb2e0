class Service:
    def __init__(self, openai_client):
        self.openai_client = openai_client
        self.model = "my-model"

    def ask(self, q):
        reply = self.openai_client.completions.create(model=self.model, prompt=q, max_tokens=5)
        return [c.text for c in reply.choices][0]

    def stream(self, q):
        with self.openai_client.completions.create(model=self.model, prompt=q, max_tokens=5, stream=True) as events:
            for event in events:
                yield event.choices[0].text


def main(openai_client):
    service = Service(openai_client)
    return service.ask("Hi") + "".join(service.stream("one"))
