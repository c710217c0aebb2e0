class Completions:
    def create(self, **kwargs):
        return kwargs


class Own:
    def __init__(self):
        self.completions = Completions()

    def ask(self):
        return self.completions.create(model="m", prompt="x", max_tokens=1)


own = Own()
own.completions.create(model="m", prompt="x", max_tokens=1)


class Completion:
    @classmethod
    def create(cls, **kwargs):
        return kwargs


Completion.create(model="m", prompt="x")
shell.completions.create(name="bash")
claude.completions.create(model="m", prompt="x", max_tokens_to_sample=3)
