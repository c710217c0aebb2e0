"""What the rows of one model, or of one group, add up to: tokens, money, percentiles, the dearest rows.

Rule: whole picodollars, so that sums are exact and two parts of a file merge in any order. Memory does
not grow with the rows: percentiles come from buckets that are 2 % wide.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, NamedTuple

from .lengths import FEWEST, SHARE, half_width
from .plain import usd
from .values import Tokens, plain

#: Buckets of percentiles are so much wider than the one before: an error of 1 % at most.
_STEP: Final = math.log(1.02)
_SHARES: Final = (50, 90, 99)


class Spread(NamedTuple):
    """How far the cost of a row may lie from the expected: picodollars of one reply, replies, lengths known."""

    deviation: int = 0
    times: int = 1
    lengths: int = 0


NO_SPREAD: Final = Spread()


@dataclass(slots=True)
class Totals:
    """What the rows of one model, or of one group, add up to; money in picodollars."""

    requests: int = 0
    unpriced: int = 0
    prompt: int = 0
    prompt_low: int = 0
    prompt_high: int = 0
    output_low: int = 0
    output: int | Decimal = 0
    output_high: int | None = 0
    low: int = 0
    expected: int = 0
    high: int | None = 0
    standard: int | None = 0
    batch: int | None = 0
    deviations: int = 0  #: of the rows' costs, added up; see ``lengths.half_width``
    squares: int = 0
    lengths: int = 0  #: from how many earlier replies they are known
    cache_saves: int = 0  #: picodollars per cached token of one row
    reason: str | None = None
    sizes: dict[int, int] = field(default_factory=dict)
    dearest: list[tuple[int, str, int]] = field(default_factory=list)

    def add(
        self, keys: Sequence[str], *, size: tuple[int, int, int], reply: Tokens, cost: tuple[int, int, int | None],
        beside: int | None, in_batch: bool, most: int, rows: int = 1, spread: Spread = NO_SPREAD,
    ) -> None:  # fmt: skip
        """Add ``rows`` alike that have a price, with the keys of the first.

        ``size`` is the tokens of their prompt, ``beside`` their price in the other kind of processing,
        ``spread`` how far the cost of one may lie from the expected.
        """
        low, expected, high = cost
        self.requests += rows
        self.prompt_low += rows * size[0]
        self.prompt += rows * size[1]
        self.prompt_high += rows * size[2]
        self.output_low += rows * reply.low
        self.output += rows * reply.expected
        self.output_high = _plus(self.output_high, reply.high, rows)
        self.low += rows * low
        self.expected += rows * expected
        self.high = _plus(self.high, high, rows)
        standard, batch = (beside, expected) if in_batch else (expected, beside)
        self.standard, self.batch = _plus(self.standard, standard, rows), _plus(self.batch, batch, rows)
        self.deviations += rows * spread.deviation * spread.times
        self.squares += rows * spread.deviation**2 * spread.times
        self.lengths = max(self.lengths, spread.lengths)
        bucket = math.floor(math.log(expected) / _STEP) if expected else -1
        self.sizes[bucket] = self.sizes.get(bucket, 0) + rows
        for key in keys[:most]:
            if len(self.dearest) < most:
                heapq.heappush(self.dearest, (expected, key, size[1]))
            elif expected > self.dearest[0][0]:
                heapq.heapreplace(self.dearest, (expected, key, size[1]))

    def merge(self, other: Totals, *, most: int) -> None:
        """Add what another part of the rows adds up to."""
        for name in (
            "requests",
            "unpriced",
            "prompt",
            "prompt_low",
            "prompt_high",
            "output_low",
            "output",
            "low",
            "expected",
            "deviations",
            "squares",
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("output_high", "high", "standard", "batch"):
            mine, theirs = getattr(self, name), getattr(other, name)
            setattr(self, name, None if mine is None or theirs is None else mine + theirs)
        self.lengths = max(self.lengths, other.lengths)
        self.cache_saves = max(self.cache_saves, other.cache_saves)
        self.reason = self.reason or other.reason
        for bucket, rows in other.sizes.items():
            self.sizes[bucket] = self.sizes.get(bucket, 0) + rows
        self.dearest = heapq.nlargest(most, [*self.dearest, *other.dearest])
        heapq.heapify(self.dearest)

    def percentile(self, share: int) -> Decimal | None:
        """Return USD that this share of the rows, in percent, do not exceed by more than 2 %."""
        wanted, seen = math.ceil(sum(self.sizes.values()) * share / 100), 0
        for bucket in sorted(self.sizes):
            seen += self.sizes[bucket]
            if seen >= wanted:
                return Decimal(f"{math.exp((bucket + 1) * _STEP):.2e}").scaleb(-12) if bucket >= 0 else Decimal(0)
        return None

    def likely(self) -> tuple[Decimal, Decimal] | None:
        """Return between which USD 8 of 10 such files lie, None where no lengths of earlier replies show it."""
        if self.lengths < FEWEST:
            return None
        half = round(half_width(self.deviations, self.squares, self.lengths))
        least, most = max(self.low, self.expected - half), self.expected + half
        return usd(least), usd(most if self.high is None else min(self.high, most))

    def to_json(self, *, prefix: int = 0) -> dict[str, Any]:
        """Return the totals as a JSON object; ``prefix`` is the tokens that every row begins with."""
        priced = self.requests > self.unpriced
        cost = {"low": _shown(self.low), "expected": _shown(self.expected), "high": _shown(self.high)}
        saved = prefix * self.cache_saves * max(0, self.requests - 1)
        found: dict[str, Any] = {
            "requests": self.requests,
            "unpriced": self.unpriced,
            "prompt_tokens": self.prompt,
            "prompt_range": [self.prompt_low, self.prompt_high],
            "output_tokens": Tokens(self.output_low, self.output, self.output_high).to_json(),
            "cost": cost if priced else None,
            "standard": _shown(self.standard) if priced else None,
            "batch": _shown(self.batch) if priced else None,
            "cache_saves": _shown(saved) if priced else None,
            "percentiles": {f"p{n}": None if (at := self.percentile(n)) is None else plain(at) for n in _SHARES},
            "dearest": [
                {"row": key, "prompt_tokens": size, "cost": _shown(cost)}
                for cost, key, size in sorted(self.dearest, reverse=True)
            ],
        }
        if priced and (likely := self.likely()) is not None:
            found["likely"] = {f"p{n}": plain(amount) for n, amount in zip(SHARE, likely, strict=True)}
        return {**found, "reason": self.reason} if self.reason else found


def _plus(total: int | None, amount: int | None, rows: int) -> int | None:
    return None if total is None or amount is None else total + rows * amount


def _shown(amount: int | None) -> str | None:
    return None if amount is None else plain(usd(amount))
