from types import SimpleNamespace
from unittest.mock import MagicMock, patch

import openai
from openai import OpenAI

client = OpenAI()
FIXTURE = {
    "id": "cmpl-1",
    "object": "text_completion",
    "choices": [{"text": "hi", "index": 0, "finish_reason": "stop"}],
    "usage": {"total_tokens": 3},
}


@patch("openai.Completion.create")
def test_a(create):
    create.return_value = FIXTURE
    assert create.called is False


@patch("openai.resources.completions.Completions.create", return_value=SimpleNamespace(choices=[SimpleNamespace(text="hi")]))
def test_b(create):
    create.assert_called_once()


def test_c(monkeypatch):
    monkeypatch.setattr("openai.Completion.create", lambda **kwargs: {"choices": [{"text": "hi"}]})


def test_d():
    with patch.object(client.completions, "create") as create:
        create.return_value = MagicMock(choices=[MagicMock(text="hi")])
    with patch.object(openai.Completion, "create", side_effect=ValueError("no")):
        pass


def test_e(mocker):
    create = mocker.patch("openai.Completion.create")
    create.return_value.choices[0].text = "hi"
    create.side_effect = [{"choices": [{"text": "one"}]}, {"choices": [{"text": "two"}]}]
