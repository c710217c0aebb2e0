"""The program's own tests: they pass before the migration and after it."""

from types import SimpleNamespace

from translate import title, translate


class Fake:
    """Answers both APIs with the last line of what was asked."""

    def __init__(self):
        self.completions = SimpleNamespace(create=self._complete)
        self.chat = SimpleNamespace(completions=SimpleNamespace(create=self._chat))
        self.sent = []

    def _complete(self, *, model, prompt, **params):
        self.sent.append((model, params))
        return SimpleNamespace(choices=[SimpleNamespace(text=" " + prompt.splitlines()[-1])])

    def _chat(self, *, model, messages, **params):
        self.sent.append((model, params))
        answer = SimpleNamespace(content=messages[-1]["content"].splitlines()[-1])
        return SimpleNamespace(choices=[SimpleNamespace(message=answer)])


def test_translate_asks_for_french():
    fake = Fake()
    assert translate(fake, "Good morning") == 'Translate the following English text to French: "Good morning"'
    assert fake.sent[0][1]["temperature"] == 0


def test_title_asks_with_the_text():
    assert title(Fake(), "Once upon a time") == "Once upon a time"
