from unittest.mock import MagicMock

from app import ask


def test_ask():
    client = MagicMock()
    client.chat.completions.create.return_value.choices[0].message.content = "hi"
    assert ask(client) == "hi"
    client.chat.completions.create.assert_called_once()


def test_other():
    fake = MagicMock()
    fake.chat.completions.create.return_value = MagicMock(choices=[MagicMock(message=MagicMock(role="assistant", content="hi"))])
    fake.chat.completions.create.side_effect = [ValueError("no")]
