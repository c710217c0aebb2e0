"""What fine-tuning costs: the tokens of the examples, times the epochs, at the price of training.

Source: OpenAI, pricing, fine-tuning, USD per million training tokens (as published in 2025).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from ..catalogue.table import base_name

#: Where the prices stand, and of when they are.
SOURCE: Final = "OpenAI, pricing, fine-tuning, as published in 2025"
_RATES: Final = {
    "gpt-4.1": Decimal(25), "gpt-4.1-mini": Decimal(5), "gpt-4.1-nano": Decimal("1.5"), "gpt-4o": Decimal(25),
    "gpt-4o-mini": Decimal(3), "gpt-3.5-turbo": Decimal(8), "davinci-002": Decimal(6), "babbage-002": Decimal("0.4"),
}  # fmt: skip


def training_cost(model: str, tokens: int, epochs: int) -> tuple[Decimal | None, str]:
    """Return USD for training a model, or None and the reason.

    >>> training_cost("gpt-4o-mini-2024-07-18", 1_000_000, 3)
    (Decimal('9'), '')
    """
    rate = _RATES.get(base_name(model))
    if rate is None:
        return None, f"no training price is known for {model!r}"
    return tokens * epochs * rate / 1_000_000, ""
