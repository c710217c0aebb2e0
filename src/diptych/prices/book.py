"""Price books: where prices come from, in layers.

Rule: a book answers for an exact name or its dated snapshot, never for a bare prefix,
and says nothing where it knows nothing. Reading a price never touches the network; the
snapshot in the wheel is read on first use.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, Protocol, runtime_checkable

from ..catalogue import model_row, shutdown_of
from ..catalogue.table import undated
from ..errors import MissingExtra, PriceError
from .price import Price, read_price
from .rates import read_rates


@runtime_checkable
class PriceBook(Protocol):
    """Anything that knows prices: ``find`` gives the price of a model, or None.

    >>> isinstance(default(), PriceBook)
    True
    """

    @property
    def date(self) -> str | None:
        """The ISO day that the prices were taken."""

    @property
    def source(self) -> str:
        """Where the prices come from."""

    def find(self, model: str) -> Price | None:
        """Return the price of a model, None where it is not known."""


#: What libraries put before the name of a model that its own vendor, or a cloud at its price, serves.
_PREFIXES: Final = frozenset({
    "openai", "azure", "anthropic", "google", "gemini", "vertex_ai", "mistral", "deepseek", "xai", "x-ai", "cohere",
    "models",
})  # fmt: skip


def candidates(model: str) -> tuple[str, ...]:
    """Return the names to look up for ``model``, the most exact first.

    >>> candidates("openai/gpt-4o-2030-01-02")
    ('openai/gpt-4o-2030-01-02', 'gpt-4o-2030-01-02', 'gpt-4o')
    >>> candidates("ft:gpt-4o-mini-2024-07-18:acme::x")
    ('ft:gpt-4o-mini-2024-07-18:acme::x', 'ft:gpt-4o-mini-2024-07-18', 'ft:gpt-4o-mini')
    """
    found = [model]
    provider, slash, name = model.partition("/")
    if slash and provider in _PREFIXES:
        found.append(name)
    if model.startswith("ft:"):
        found.append(":".join(model.split(":")[:2]))
    found.append(undated(found[-1]))
    return tuple(dict.fromkeys(found))


def _with_limits(model: str, price: Price) -> Price:
    """Return the price with the limits that the catalogue has for the model, where it states none itself."""
    row = model_row(model) or model_row(price.model)
    if row is None:
        return price
    return replace(
        price,
        context_window=price.context_window or row.context_window,
        input_limit=price.input_limit or row.input_limit,
        max_output=price.max_output or row.max_output,
        reasoning=row.reasoning if price.reasoning is None else price.reasoning,
        shutdown=price.shutdown or shutdown_of(model),
    )


class SnapshotBook:
    """The prices in the wheel, or those of another snapshot of the same shape."""

    def __init__(self, snapshot: Mapping[str, Any]) -> None:
        self._entries: Mapping[str, Mapping[str, Any]] = snapshot["models"]
        self._names = {name: key for key, entry in self._entries.items() for name in (key, *entry["names"])}
        self.date: str | None = snapshot.get("date")
        self.source: str = snapshot.get("source", "")
        self.find = lru_cache(maxsize=1024)(self._find)

    def _find(self, model: str) -> Price | None:
        for name in candidates(model):
            if key := self._names.get(name):
                return _with_limits(model, read_price(key, self._entries[key], date=self.date, source=self.source))
        return None

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)


@lru_cache(maxsize=1)
def default() -> SnapshotBook:
    """Return the book of the dated snapshot in the wheel.

    >>> default().find("gpt-5.4-mini").rates().at("input")
    Decimal('0.75')
    """
    return SnapshotBook(json.loads(files(__package__).joinpath("snapshot.json").read_bytes()))


class Overrides:
    """A user's own prices on top of another book.

    ``prices`` maps a model's exact name to rates in USD a million tokens, with
    ``context_window`` and ``max_output`` where wanted. Raises PriceError on a malformed
    entry.

    >>> Overrides({"my-model": {"input": "1", "output": 3}}).find("my-model").rates().at("output")
    Decimal('3')
    """

    def __init__(
        self,
        prices: Mapping[str, Mapping[str, Any]],
        *,
        base: PriceBook | None = None,
        date: str | None = None,
        source: str = "user",
    ) -> None:
        self._base = default() if base is None else base
        self._own = {name: self._read(name, entry, date, source) for name, entry in prices.items()}

    def _read(self, name: str, entry: Mapping[str, Any], date: str | None, source: str) -> Price:
        if not isinstance(entry, Mapping):
            raise PriceError("a price is an object of rates", path=f"$.{name}")
        limits = {key: entry[key] for key in ("context_window", "max_output", "reasoning", "shutdown") if key in entry}
        rates = {key: value for key, value in entry.items() if key not in limits and key != "provider"}
        under = self._base.find(name)
        known = {"context_window": under.context_window, "max_output": under.max_output} if under else {}
        provider = str(entry.get("provider", "user"))
        prices = ((None, read_rates(rates, f"$.{name}")),)
        return Price(name, provider, prices, date=date, source=source, **{**known, **limits})

    @property
    def date(self) -> str | None:
        """The day of the book underneath; a price of the user has its own."""
        return self._base.date

    @property
    def source(self) -> str:
        """The sources of both."""
        return f"user, {self._base.source}"

    def find(self, model: str) -> Price | None:
        """Return the user's price of a model, else that of the book underneath."""
        return self._own.get(model) or self._base.find(model)


class GenaiPriceBook:
    """The prices of an installed genai-prices, which may be newer than the snapshot.

    Raises MissingExtra where it is not installed (extra ``prices``). Names are matched as
    in the snapshot, by equality or as a dated snapshot, not by genai-prices' own rules.
    """

    def __init__(self) -> None:
        try:
            from . import genai
        except ImportError as error:
            raise MissingExtra.of("prices", "genai-prices") from error
        self._book = SnapshotBook(genai.snapshot())
        self.date: str | None = self._book.date
        self.source: str = self._book.source

    def find(self, model: str) -> Price | None:
        """Return the price of a model; its limits are the catalogue's, where it has some."""
        return self._book.find(model)
