from types import SimpleNamespace
from unittest.mock import MagicMock, patch

import openai
from openai import OpenAI

client = OpenAI()
FIXTURE = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "choices": [{"message": {"role": "assistant", "content": "hi"}, "index": 0, "finish_reason": "stop"}],
    "usage": {"total_tokens": 3},
}


@patch("openai.ChatCompletion.create")
def test_a(create):
    create.return_value = FIXTURE
    assert create.called is False


@patch("openai.resources.chat.completions.Completions.create", return_value=SimpleNamespace(choices=[SimpleNamespace(message=SimpleNamespace(role="assistant", content="hi"))]))
def test_b(create):
    create.assert_called_once()


def test_c(monkeypatch):
    monkeypatch.setattr("openai.ChatCompletion.create", lambda **kwargs: {"choices": [{"message": {"role": "assistant", "content": "hi"}}]})


def test_d():
    with patch.object(client.chat.completions, "create") as create:
        create.return_value = MagicMock(choices=[MagicMock(message=MagicMock(role="assistant", content="hi"))])
    with patch.object(openai.ChatCompletion, "create", side_effect=ValueError("no")):
        pass


def test_e(mocker):
    create = mocker.patch("openai.ChatCompletion.create")
    create.return_value.choices[0].message.content = "hi"
    create.side_effect = [{"choices": [{"message": {"role": "assistant", "content": "one"}}]}, {"choices": [{"message": {"role": "assistant", "content": "two"}}]}]
