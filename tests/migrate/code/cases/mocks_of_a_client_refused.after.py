# refused: mock-shape@7 shared-result@8 mock-use@13
from unittest.mock import MagicMock

from app import answer, ask

client = MagicMock()
client.completions.create.return_value = answer()
client.completions.create.assert_called_once()


def test_prompt():
    other = MagicMock()
    other.completions.create.assert_called_once_with(model="m", prompt="x")
