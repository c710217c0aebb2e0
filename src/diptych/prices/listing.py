"""The models that Diptych knows: encoding, limits, APIs, prices, dates, side by side.

Rule: one row per model, made from the catalogue and the price book; what is not
known is None.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..catalogue import apis_of, model_row, refused_parameters, replacement_for, shutdown_of
from ..catalogue.table import Model, by_name
from ..tokens import model_info
from .book import PriceBook, default
from .price import Price
from .rates import Rates


@dataclass(frozen=True, slots=True)
class ModelRow:
    """What is known of one model; prices are USD per million tokens as text.

    ``apis`` are those that the vendor serves the model by, None where nothing is claimed; ``refuses``
    the Chat parameters that it refuses at its default reasoning effort.
    """

    name: str
    provider: str | None
    encoding: str | None
    family: str | None
    context_window: int | None
    input_limit: int | None
    max_output: int | None
    reasoning: bool | None
    apis: tuple[str, ...] | None
    refuses: tuple[str, ...]
    prefill: str | None
    input: str | None
    cached: str | None
    output: str | None
    tiers: tuple[str, ...]
    price_date: str | None
    price_notes: tuple[str, ...]
    shutdown_date: str | None
    replacement: str | None
    source: str | None
    facts_date: str | None
    facts_source: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the row as a JSON object."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def list_models(book: PriceBook | None = None) -> list[ModelRow]:
    """Return every model with a row in the catalogue or a price, those of OpenAI first.

    >>> next(row.encoding for row in list_models() if row.name == "gpt-4o")
    'o200k_base'
    """
    shelf = default()
    names = dict.fromkeys([*by_name(), *shelf])
    rows = [_row(name, shelf if book is None else book) for name in names]
    return sorted(rows, key=lambda row: (row.provider not in ("openai", None), row.provider or "", row.name))


def _row(name: str, book: PriceBook) -> ModelRow:
    info, facts, price = model_info(name), model_row(name) or Model(), book.find(name)
    limits: Model | Price = facts if price is None else price
    rates = None if price is None else price.rates()
    replacement = replacement_for(name)
    return ModelRow(
        name=name,
        provider=price.provider if price is not None else facts.vendor or None,
        encoding=info.encoding,
        family=info.family,
        context_window=limits.context_window,
        input_limit=facts.input_limit,
        max_output=limits.max_output,
        reasoning=limits.reasoning,
        apis=apis_of(name),
        refuses=tuple(refused_parameters(name)),
        prefill=facts.prefill,
        input=_shown(rates, "input"),
        cached=_shown(rates, "cached"),
        output=_shown(rates, "output"),
        tiers=() if price is None else tuple(price.variants),
        price_date=None if price is None else price.checked or price.date,
        price_notes=() if price is None else price.notes(),
        shutdown_date=shutdown_of(name) or (None if price is None else price.shutdown),
        replacement=None if replacement is None else replacement.model,
        source=None if price is None else price.source,
        facts_date=facts.seen or None,
        facts_source=facts.source or None,
    )


def _shown(rates: Rates | None, kind: str) -> str | None:
    rate = rates.at(kind) if rates is not None and rates.has(kind) else None
    return None if rate is None else format(rate, "f")
