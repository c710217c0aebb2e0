from unittest.mock import MagicMock

from app import ask


def test_ask():
    client = MagicMock()
    client.completions.create.return_value.choices[0].text = "hi"
    assert ask(client) == "hi"
    client.completions.create.assert_called_once()


def test_other():
    fake = MagicMock()
    fake.completions.create.return_value = MagicMock(choices=[MagicMock(text="hi")])
    fake.completions.create.side_effect = [ValueError("no")]
