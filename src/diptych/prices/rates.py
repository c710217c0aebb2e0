"""Rates as values: what a million tokens of each kind cost.

Rule: money is ``Decimal`` USD. A rate that a price does not state is None, and no cost
is made up from it; the one fallback is written down at :meth:`Rates.at`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from ..errors import PriceError
from ..suggest import suggest

#: The kinds of token that may have a rate of their own.
RATE_NAMES: Final = (
    "input", "cached", "cache_write", "cache_write_1h", "output",
    "input_audio", "cached_audio", "output_audio", "input_image", "cached_image", "output_image",
)  # fmt: skip

#: Where a kind has no rate of its own, that of this kind is billed. Audio has none but its own:
#: it costs several times what text does.
FALLBACK: Final = {
    "cached": "input", "cache_write": "input", "input_image": "input",
    "cached_audio": "input_audio", "cached_image": "input_image", "output_image": "output",
}  # fmt: skip


#: Anthropic's cache in units of the input rate, where a price states no rate ("Prompt caching", 2026-11).
ANTHROPIC: Final = {"cached": Decimal("0.1"), "cache_write": Decimal("1.25"), "cache_write_1h": Decimal(2)}


@dataclass(frozen=True, slots=True)
class Rate:
    """USD a million tokens; a prompt of more than ``above`` tokens pays another rate for all of them.

    >>> Rate(Decimal(5), ((272_000, Decimal(10)),)).at(300_000)
    Decimal('10')
    """

    base: Decimal
    tiers: tuple[tuple[int, Decimal], ...] = ()

    def at(self, prompt_tokens: int) -> Decimal:
        """Return the rate that a prompt of this length pays."""
        rate = self.base
        for above, price in self.tiers:
            if prompt_tokens > above:
                rate = price
        return rate

    def times(self, factor: Decimal) -> Rate:
        """Return the rate multiplied.

        >>> Rate(Decimal(5)).times(Decimal("0.1"))
        Rate(base=Decimal('0.5'), tiers=())
        """
        return Rate(self.base * factor, tuple((above, price * factor) for above, price in self.tiers))


@dataclass(frozen=True, slots=True)
class Rates:
    """The rates of one price: a mapping from the names of :data:`RATE_NAMES`."""

    by_name: Mapping[str, Rate]
    caches_alone: bool = False  #: prompts are written to the cache without being asked to

    @property
    def writes(self) -> bool:
        """Whether the model writes anything that is billed; an embedding has no output."""
        return any(name.startswith("output") for name in self.by_name)

    def __str__(self) -> str:
        shown = [f"{name} {format(rate.base.normalize(), 'f')}" for name, rate in self.by_name.items()]
        return f"{', '.join(shown)} USD per million tokens"

    def has(self, name: str) -> bool:
        """Say whether this kind of token has a rate of its own."""
        return name in self.by_name

    def at(self, name: str, *, prompt_tokens: int = 0) -> Decimal | None:
        """Return USD a million tokens of this kind, None where not even a fallback has a rate.

        Cached tokens without a rate of their own pay the input rate, image tokens that of
        text. Audio tokens and a cache write for an hour need a rate of their own.

        >>> Rates({"input": Rate(Decimal(2))}).at("cached")
        Decimal('2')
        >>> Rates({"input": Rate(Decimal(2))}).at("input_audio") is None
        True
        """
        kind: str | None = name
        while kind is not None:
            if kind in self.by_name:
                return self.by_name[kind].at(prompt_tokens)
            kind = FALLBACK.get(kind)
        return None


def read_rates(values: Mapping[str, Any], path: str = "$", *, provider: str = "user") -> Rates:
    """Read ``{"input": "2.5", "output": ["10", [272000, "15"]]}``, USD a million tokens.

    Raises PriceError on an unknown kind or on what is no amount.
    """
    unknown = sorted(set(values) - set(RATE_NAMES))
    if unknown:
        raise PriceError(f"{unknown[0]!r} is no kind of token", path=path, hint=suggest(unknown[0], RATE_NAMES))
    by_name = {name: _read_rate(value, f"{path}.{name}") for name, value in values.items()}
    if provider == "anthropic" and "input" in by_name:
        by_name = {kind: by_name["input"].times(factor) for kind, factor in ANTHROPIC.items()} | by_name
    return Rates(by_name, caches_alone=provider == "openai")


def _read_rate(value: Any, path: str) -> Rate:
    if isinstance(value, list | tuple):
        base, *tiers = value
        return Rate(_amount(base, path), tuple((int(above), _amount(price, path)) for above, price in tiers))
    return Rate(_amount(value, path))


def _amount(value: Any, path: str) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise PriceError(f"{value!r} is no amount of USD", path=path) from None
    if not amount.is_finite() or amount < 0:
        raise PriceError(f"{value!r} is no amount of USD", path=path)
    return amount
