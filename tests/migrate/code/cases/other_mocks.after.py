from unittest.mock import patch


@patch("shop.completions.create")
@patch("shop.Completion.create", return_value=3)
def test_own(a, b):
    b.return_value = 4


def test_own_client():
    with patch("shop.ai.chat.completions.create", return_value={"choices": [{"message": {"role": "assistant", "content": "hi"}}]}):
        pass
