class Service:
    def __init__(self, openai_client):
        self.openai_client = openai_client
        self.model = "my-model"

    def ask(self, q):
        reply = self.openai_client.chat.completions.create(model=self.model, messages=[{"role": "user", "content": q}], max_completion_tokens=5)
        return [c.message.content for c in reply.choices][0]

    def stream(self, q):
        with self.openai_client.chat.completions.create(model=self.model, messages=[{"role": "user", "content": q}], max_completion_tokens=5, stream=True) as events:
            for event in events:
                if not event.choices:
                    continue
                yield event.choices[0].delta.content or ""


def main(openai_client):
    service = Service(openai_client)
    return service.ask("Hi") + "".join(service.stream("one"))
