"""The program's own tests: they pass before the migration and after it."""

from types import SimpleNamespace

from translate import summary_prompt, tell, title, translate


class Fake:
    """Answers both APIs with the last line of what was asked, word by word where a stream is wanted."""

    def __init__(self):
        self.completions = SimpleNamespace(create=self._complete)
        self.chat = SimpleNamespace(completions=SimpleNamespace(create=self._chat))
        self.sent = []

    def _complete(self, *, model, prompt, **params):
        self.sent.append((model, params))
        choices = [SimpleNamespace(text=text) for text in self._texts(prompt, params)]
        return self._answer(choices, params)

    def _chat(self, *, model, messages, **params):
        self.sent.append((model, params))
        texts = self._texts(messages[-1]["content"], params)
        said = [SimpleNamespace(content=text) for text in texts]
        return self._answer([SimpleNamespace(message=each, delta=each) for each in said], params)

    @staticmethod
    def _texts(prompt, params):
        answer = " " + prompt.splitlines()[-1]
        return answer.split(" ") if params.get("stream") else [answer]

    @staticmethod
    def _answer(choices, params):
        if params.get("stream"):
            return iter([SimpleNamespace(choices=[choice]) for choice in choices])
        return SimpleNamespace(choices=choices)


def test_translate_asks_for_french():
    fake = Fake()
    assert translate(fake, "Good morning") == 'Translate the following English text to French: "Good morning"'
    assert fake.sent[0][1]["temperature"] == 0


def test_title_asks_with_the_text():
    assert title(Fake(), "Once upon a time") == "Once upon a time"


def test_a_story_comes_in_pieces():
    assert list(tell(Fake(), "it rained")) == ["", "Retell", "this:", "it", "rained"]


def test_a_summary_is_asked_for_in_one_sentence():
    assert summary_prompt("It rained.") == "Summarise in one sentence: It rained."
