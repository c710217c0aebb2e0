# refused: mock-shape@6 mock-use@11 mock-use@18
from unittest.mock import patch

from fixtures import answer

@patch("openai.Completion.create")
def test_a(create):
    create.return_value = answer()


@patch("openai.Completion.create")
def test_b(create):
    create.return_value = {"choices": [{"text": "hi"}]}
    assert create.call_args.kwargs["prompt"] == "x"


def test_c(monkeypatch):
    monkeypatch.setattr("openai.Completion.create", fake)


def fake(prompt, **kwargs):
    return {"choices": [{"text": prompt}]}


@patch("openai.chat.completions.create")
@patch("anthropic.Completion.create")
def test_d(a, b):
    pass
