from unittest.mock import patch


@patch("shop.completions.create")
@patch("shop.Completion.create", return_value=3)
def test_own(a, b):
    b.return_value = 4


def test_own_client():
    with patch("shop.ai.completions.create", return_value={"choices": [{"text": "hi"}]}):
        pass
