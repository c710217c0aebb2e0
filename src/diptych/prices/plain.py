"""The short way to a price: text alone, in whole picodollars.

Rule: equal to :func:`diptych.prices.bounds.cost_of` for every request without audio, images and
marked cache breakpoints, which a law checks; anything else takes the long way.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from ..tokens import TokenCount
from ..tokens.rules import FamilyRules
from .bounds import CACHE_FROM, CACHE_STEP
from .lengths import Guess, expected_length
from .price import Price
from .rates import Rates
from .values import Tokens

#: A millionth of a millionth of a dollar: a rate of 0.000001 USD per million tokens is one per token.
_PICO: Final = 10**12
_KINDS: Final = ("input", "cached", "cache_write", "output")
#: Fields of a body that can change the kind of its tokens.
_SPECIAL: Final = frozenset({"modalities", "contents", "system", "inferenceConfig"})

Steps = tuple[tuple[int, int], ...]


def pico(amount: Decimal) -> int:
    """Return an amount in picodollars, rounded up.

    >>> pico(Decimal("0.0000025"))
    2500000
    """
    return int((amount * _PICO).to_integral_value("ROUND_CEILING"))


def usd(amount: int) -> Decimal:
    """Return picodollars as USD.

    >>> format(usd(2500000), "f")
    '0.0000025'
    """
    return Decimal(amount).scaleb(-12).normalize()


class Pricer(NamedTuple):
    """The rates of one model and tier, in picodollars per token from a number of prompt tokens on."""

    rates: tuple[Steps, Steps, Steps, Steps]
    lowest: tuple[Steps, Steps]
    highest: tuple[Steps, Steps, Steps, Steps]
    writes_cache: bool
    marks_cache: bool
    cache_saves: int

    @classmethod
    def of(cls, price: Price, variant: str | None, *, day: str | None = None) -> Pricer | None:
        """Return the pricer of a model in a tier, None where a rate is unknown or too fine."""
        rates = price.rates(variant, day=day)
        if rates is None or not rates.has("input"):
            return None
        lowest, highest = price.least(variant, day=day) or rates, price.dearest(variant, day=day) or rates
        steps = [_steps(rates, kind) for kind in _KINDS]
        low = [_steps(lowest, kind) for kind in _KINDS[:2]]
        top = steps if highest is rates else [_steps(highest, kind) for kind in _KINDS]
        if None in steps or None in low or None in top:
            return None
        write = rates.caches_alone and rates.has("cache_write")
        saves = max(0, _at(steps[0] or (), 0) - _at(steps[1] or (), 0))
        marks = rates.has("cache_write") and not write
        of_rates = tuple(steps)
        return cls(of_rates, tuple(low), of_rates if top is steps else tuple(top), write, marks, saves)  # type: ignore[arg-type]

    def takes(self, body: Mapping[str, Any], count: TokenCount) -> bool:
        """Say whether the short way gives the price of this request."""
        if self.marks_cache or not _SPECIAL.isdisjoint(body) or count.tokens is None:
            return False
        return count.basis in ("exact", "fitted") and not any(item.kind == "image" for item in count.items)

    def cost(self, count: TokenCount, reply: Tokens, cached: int | None) -> tuple[int, int, int | None]:
        """Return the least, the expected and the most picodollars; see ``bounds`` for what they mean."""
        return self.of_size(count.tokens or 0, reply, cached)

    def of_size(self, size: int, reply: Tokens, cached: int | None) -> tuple[int, int, int | None]:
        """Return the same for a prompt of so many tokens."""
        fresh, hit_rate, write, out = (_at(steps, size) for steps in self.rates)
        if self.writes_cache and size >= CACHE_FROM:
            fresh = write
        hit = min(size, cached or 0)
        expected = math.ceil((size - hit) * fresh + hit * hit_rate + reply.expected * out)
        held = cached if cached is not None else size // CACHE_STEP * CACHE_STEP if size >= CACHE_FROM else 0
        held = min(size, held)
        low = (size - held) * _at(self.lowest[0], size) + held * _at(self.lowest[1], size) + reply.low * out
        if reply.high is None:
            return min(low, expected), expected, None
        if self.highest is not self.rates:
            fresh, _, write, out = (_at(steps, size) for steps in self.highest)
            fresh = write if self.writes_cache and size >= CACHE_FROM else fresh
        return min(low, expected), expected, max(size * fresh + reply.high * out, expected)

    def output_rate(self, size: int) -> int:
        """Return the picodollars per token of the reply to a prompt of so many tokens."""
        return _at(self.rates[3], size)


class Lane(NamedTuple):
    """What prices requests of one model that are nothing but plain messages."""

    pricer: Pricer
    beside: Pricer | None  #: in the Batch API, or outside of it where the request is priced in it
    most: int | None
    encoding: str
    rules: FamilyRules

    def reply(self, cap: int | None, times: int, guess: Guess) -> Tokens:
        """Return the tokens of all replies, as ``output_bounds`` does."""
        most = self.most if cap is None else cap if self.most is None else min(cap, self.most)
        return Tokens(0, expected_length(guess, most) * times, None if most is None else most * times)


def _at(steps: Steps, prompt: int) -> int:
    rate = steps[0][1]
    for above, price in steps[1:]:
        if prompt > above:
            rate = price
    return rate


def _steps(rates: Rates, kind: str) -> Steps | None:
    """Return a rate as whole picodollars per token, by the number of prompt tokens it holds above."""
    edges = sorted({0, *(above for rate in rates.by_name.values() for above, _ in rate.tiers)})
    found = []
    for edge in edges:
        rate = rates.at(kind, prompt_tokens=edge + 1 if edge else 0)
        if rate is None and kind != "output":
            return None
        amount = (rate or Decimal(0)) * 1_000_000
        if amount != int(amount):
            return None
        found.append((edge, int(amount)))
    return tuple(found)
