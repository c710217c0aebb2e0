# refused: unpacked-arguments@8 mock-apart@11
from unittest.mock import patch

import openai


def ask(q, **options):
    return openai.Completion.create(model="text-davinci-003", prompt=q, **options)["choices"][0]["text"]


@patch("openai.Completion.create")
def test_ask(create):
    create.return_value = {"choices": [{"text": "hi"}]}
    assert ask("x", **{"max_tokens": 5}) == "hi"
