"""The models that Diptych knows: encoding, limits, prices, dates, side by side.

Rule: one row a model, made from the table of encodings and the price book; what is not
known is None.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..catalogue.shutdowns import SHUTDOWNS
from ..tokens import known_models, model_info
from .book import PriceBook, default
from .rates import Rates


@dataclass(frozen=True, slots=True)
class ModelRow:
    """What is known of one model; prices are USD a million tokens as text."""

    name: str
    provider: str | None
    encoding: str | None
    family: str | None
    context_window: int | None
    max_output: int | None
    input: str | None
    cached: str | None
    output: str | None
    tiers: tuple[str, ...]
    price_date: str | None
    shutdown_date: str | None
    source: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the row as a JSON object."""
        return {**asdict(self), "tiers": list(self.tiers)}


def list_models(book: PriceBook | None = None) -> list[ModelRow]:
    """Return every model with an encoding or a price, those of OpenAI first.

    >>> next(row.encoding for row in list_models() if row.name == "gpt-4o")
    'o200k_base'
    """
    shelf = default()
    names = dict.fromkeys([*known_models(), *shelf])
    rows = [_row(name, shelf if book is None else book) for name in names]
    return sorted(rows, key=lambda row: (row.provider not in ("openai", None), row.provider or "", row.name))


def _row(name: str, book: PriceBook) -> ModelRow:
    info, price = model_info(name), book.find(name)
    encoding, family = info.encoding, info.family
    if price is None:
        return ModelRow(name, None, encoding, family, None, None, None, None, None, (), None, SHUTDOWNS.get(name), None)
    rates = price.rates()
    return ModelRow(
        name,
        price.provider,
        encoding,
        family,
        price.context_window,
        price.max_output,
        _shown(rates, "input"),
        _shown(rates, "cached"),
        _shown(rates, "output"),
        tuple(price.variants),
        price.date,
        SHUTDOWNS.get(name, price.shutdown),
        price.source,
    )


def _shown(rates: Rates | None, kind: str) -> str | None:
    rate = rates.at(kind) if rates is not None and rates.has(kind) else None
    return None if rate is None else format(rate, "f")
