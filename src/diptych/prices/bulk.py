"""What many requests cost together: totals per model, the dearest rows, percentiles, in constant memory.

How it works: a row is counted once for all models that count alike, and priced in whole picodollars,
so that totals are exact and equal the sum of :func:`estimate`. Totals of two parts of a file merge.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from .. import tokens
from ..catalogue.models import model_info
from ..errors import DiptychError
from ..request import Request
from ..tokens import TokenCount
from ..tokens.rules import rules_of
from .book import PriceBook, default
from .bounds import CACHE_FROM, CACHE_STEP, output_bounds, tier
from .dialects import read_usage
from .estimate import Estimate, estimate
from .plain import Pricer, pico, usd
from .rates import Price
from .usage import price_usage, variant_of
from .values import Tokens, plain

#: Buckets of percentiles are so much wider than the one before: an error of 1 % at most.
_STEP: Final = math.log(1.02)
_SHARES: Final = (50, 90, 99)
#: What makes a row too special for the short way.
_SPECIAL: Final = frozenset({"audio", "image"})


@dataclass(slots=True)
class Totals:
    """What the rows of one model, or of one group, add up to; money in picodollars."""

    requests: int = 0
    unpriced: int = 0
    prompt: int = 0
    prompt_low: int = 0
    prompt_high: int = 0
    output: int = 0
    low: int = 0
    expected: int = 0
    high: int | None = 0
    standard: int | None = 0
    batch: int | None = 0
    cache_saves: int = 0  #: picodollars per cached token of one row
    reason: str | None = None
    sizes: Counter[int] = field(default_factory=Counter)
    dearest: list[tuple[int, str, int]] = field(default_factory=list)

    def add(self, key: str, count: TokenCount, reply: int, cost: tuple[int, int, int | None], most: int) -> None:
        """Add one row that has a price."""
        low, expected, high = cost
        self.requests += 1
        self.prompt += count.tokens or 0
        self.prompt_low += count.low or 0
        self.prompt_high += count.high or 0
        self.output += reply
        self.low += low
        self.expected += expected
        self.high = None if high is None or self.high is None else self.high + high
        self.sizes[math.floor(math.log(expected) / _STEP) if expected else -1] += 1
        if len(self.dearest) < most:
            heapq.heappush(self.dearest, (expected, key, count.tokens or 0))
        elif most and expected > self.dearest[0][0]:
            heapq.heapreplace(self.dearest, (expected, key, count.tokens or 0))

    def merge(self, other: Totals, most: int) -> None:
        """Add what another part of the rows adds up to."""
        for name in ("requests", "unpriced", "prompt", "prompt_low", "prompt_high", "output", "low", "expected"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("high", "standard", "batch"):
            mine, theirs = getattr(self, name), getattr(other, name)
            setattr(self, name, None if mine is None or theirs is None else mine + theirs)
        self.cache_saves = max(self.cache_saves, other.cache_saves)
        self.reason = self.reason or other.reason
        self.sizes.update(other.sizes)
        self.dearest = heapq.nlargest(most, [*self.dearest, *other.dearest])
        heapq.heapify(self.dearest)

    def percentile(self, share: int) -> Decimal | None:
        """Return USD that this share of the rows, in percent, do not exceed by more than 2 %."""
        wanted, seen = math.ceil(self.sizes.total() * share / 100), 0
        for bucket in sorted(self.sizes):
            seen += self.sizes[bucket]
            if seen >= wanted:
                return Decimal(f"{math.exp((bucket + 1) * _STEP):.2e}").scaleb(-12) if bucket >= 0 else Decimal(0)
        return None

    def to_json(self, *, prefix: int = 0) -> dict[str, Any]:
        """Return the totals as a JSON object; ``prefix`` is the tokens that every row begins with."""
        priced = self.requests > self.unpriced
        cost = {"low": _shown(self.low), "expected": _shown(self.expected), "high": _shown(self.high)}
        saved = prefix * self.cache_saves * max(0, self.requests - 1)
        found: dict[str, Any] = {
            "requests": self.requests,
            "unpriced": self.unpriced,
            "prompt_tokens": {"low": self.prompt_low, "expected": self.prompt, "high": self.prompt_high},
            "output_tokens": self.output,
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
        return {**found, "reason": self.reason} if self.reason else found


def _shown(amount: int | None) -> str | None:
    return None if amount is None else plain(usd(amount))


class Bulk:
    """Adds up what requests cost, for their own models or for each of ``models``.

    ``output`` are the tokens expected in one reply, ``cached`` those of each prompt that are cached.
    ``batch`` prices at the rates of the Batch API. ``most`` is how many of the dearest rows are kept.

    >>> bulk = Bulk(["gpt-4o", "gpt-4.1"], output=100)
    >>> for text in ("Hello", "Good night"):
    ...     bulk.add([{"role": "user", "content": text}])
    >>> bulk.to_json()["models"]["gpt-4.1"]["cost"]["expected"]
    '0.001634'
    """

    def __init__(
        self,
        models: Sequence[str] = (),
        *,
        output: int | None = None,
        cached: int | None = None,
        batch: bool = False,
        service_tier: str | None = None,
        most: int = 5,
        book: PriceBook | None = None,
    ) -> None:
        self.models = tuple(models)
        self.output, self.cached, self.batch, self.tier, self.most = output, cached, batch, service_tier, most
        self.book = default() if book is None else book
        self.requests = self.refused = 0
        self.totals: dict[str, Totals] = {}
        self.groups: dict[str, Totals] = {}
        self.prefix: str | None = None
        self._kin: dict[str, Any] = {}
        self._prices: dict[str, Price | None] = {}
        self._pricers: dict[tuple[str, str | None], Pricer | None] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "book": None, "_kin": {}, "_prices": {}, "_pricers": {}}

    def add(self, x: Any, *, key: str = "", model: str | None = None, group: str | None = None) -> None:
        """Add one request. Raises the error of a request that cannot be counted; it then counts as refused."""
        self.requests += 1
        try:
            body = tokens.body_of(x, model=model)
            if not isinstance(x, Mapping | Request):
                body = {name: value for name, value in body.items() if name != "model"}
            counts: dict[Any, TokenCount] = {}
            for name in self.models or (tokens.name_of(model, body),):
                self._add(body, name, key or str(self.requests), group, counts)
        except DiptychError:
            self.refused += 1
            raise
        self._shorten(body)

    def add_usage(self, model: str, usage: Mapping[str, Any], *, key: str, batch: bool, group: str | None) -> None:
        """Add what a call did cost, from the usage that its reply reports."""
        self.requests += 1
        paid = price_usage(model, usage, batch=batch, book=self.book)
        totals = self._totals(model, group)
        if paid is None:
            return _missed(totals, f"the usage of {model!r} has no price")
        amount, told = pico(paid), read_usage(usage)
        count = TokenCount(told.prompt, "exact", (), None, told.prompt, told.prompt, model)
        for one in totals:
            one.add(key, count, told.output, (amount, amount, amount), self.most)
            one.standard, one.batch = None, None
        return None

    def merge(self, other: Bulk) -> None:
        """Add what another part of the rows adds up to."""
        self.requests, self.refused = self.requests + other.requests, self.refused + other.refused
        for mine, theirs in ((self.totals, other.totals), (self.groups, other.groups)):
            for name, totals in theirs.items():
                mine.setdefault(name, Totals()).merge(totals, self.most)
        if other.prefix is not None:
            self.prefix = other.prefix if self.prefix is None else _common(self.prefix, other.prefix)

    def to_json(self) -> dict[str, Any]:
        """Return the totals as a JSON object; money is text, so that no digit is lost."""
        shared = {name: self.shared_tokens(name) for name in self.totals}
        found: dict[str, Any] = {
            "requests": self.requests,
            "refused": self.refused,
            "models": {name: one.to_json(prefix=shared[name]) for name, one in self.totals.items()},
            "common_prefix_tokens": max(shared.values(), default=0),
        }
        groups = {name: one.to_json() for name, one in self.groups.items()}
        return {**found, "groups": groups} if groups else found

    def shared_tokens(self, model: str) -> int:
        """Return the tokens that a prompt cache would hold: the common start of all rows, in whole steps."""
        info = model_info(model)
        if not self.prefix or info.encoding is None:
            return 0
        size = tokens.count_text(self.prefix, encoding_name=info.encoding)
        return size // CACHE_STEP * CACHE_STEP if size >= CACHE_FROM else 0

    # one row --------------------------------------------------------------------------

    def _add(
        self, body: Mapping[str, Any], name: str, key: str, group: str | None, counts: dict[Any, TokenCount]
    ) -> None:
        count = self._count(body, name, counts)
        variant = variant_of(self.tier or tier(body), self.batch)
        price = self._price(name)
        reply = output_bounds(body, price, self.output, count)
        totals = self._totals(name, group)
        costs = self._cost(body, name, variant, count, reply)
        if costs is None:
            found = estimate(body, name, tokens=count, service_tier=variant, batch=self.batch, book=self.book)
            return _missed(totals, found.reason or "no price is known")
        other = self._cost(body, name, None if self.batch else "batch", count, reply)
        for one in totals:
            one.add(key, count, reply.expected, costs, self.most)
            mine, beside = costs[1], None if other is None else other[1]
            standard, batch = (beside, mine) if self.batch else (mine, beside)
            one.standard = None if standard is None or one.standard is None else one.standard + standard
            one.batch = None if batch is None or one.batch is None else one.batch + batch
            if price is not None and (pricer := self._pricer(name, variant)) is not None:
                one.cache_saves = pricer.cache_saves
        return None

    def _totals(self, name: str, group: str | None) -> list[Totals]:
        found = [self.totals.setdefault(name, Totals())]
        return found if group is None else [*found, self.groups.setdefault(group, Totals())]

    def _count(self, body: Mapping[str, Any], name: str, counts: dict[Any, TokenCount]) -> TokenCount:
        kin = self._kin.get(name)
        if kin is None:
            info = model_info(name)
            kin = self._kin[name] = (
                info.encoding or name,
                rules_of(info.family, info.base),
                info.known,
                info.is_recorded,
            )
        found = counts.get(kin)
        if found is None or any(item.kind in _SPECIAL for item in found.items):
            found = counts[kin] = tokens.count(body, name)
        return found

    def _price(self, name: str) -> Price | None:
        if name not in self._prices:
            self._prices[name] = self.book.find(name)
        return self._prices[name]

    def _pricer(self, name: str, variant: str | None) -> Pricer | None:
        at = (name, variant)
        if at not in self._pricers:
            price = self._price(name)
            self._pricers[at] = None if price is None else Pricer.of(price, variant)
        return self._pricers[at]

    def _cost(
        self, body: Mapping[str, Any], name: str, variant: str | None, count: TokenCount, reply: Tokens
    ) -> tuple[int, int, int | None] | None:
        pricer = self._pricer(name, variant)
        if pricer is not None and pricer.takes(body, count):
            return pricer.cost(count, reply, self.cached)
        is_batch = variant == "batch"
        tiered = None if is_batch else variant or "default"
        found = estimate(
            body, name, tokens=count, output=self.output, cached=self.cached,
            service_tier=tiered, batch=is_batch, book=self.book,
        )  # fmt: skip
        return _picos(found)

    # the common start ------------------------------------------------------------------

    def _shorten(self, body: Mapping[str, Any]) -> None:
        if self.prefix == "":
            return
        start = _start(body, len(self.prefix) if self.prefix is not None else None)
        self.prefix = start if self.prefix is None else _common(self.prefix, start)


def _missed(totals: Iterable[Totals], reason: str) -> None:
    for one in totals:
        one.requests += 1
        one.unpriced += 1
        one.reason = one.reason or reason


def _picos(found: Estimate) -> tuple[int, int, int | None] | None:
    if found.cost is None:
        return None
    low, expected, high = found.cost
    return pico(low), pico(expected), None if high is None else pico(high)


def _start(body: Mapping[str, Any], size: int | None) -> str:
    """Return the first characters of what a body says, with its roles."""
    talk = body.get("messages") or body.get("input") or body.get("prompt") or ""
    if isinstance(talk, str):
        return talk if size is None else talk[:size]
    pieces, length = [], 0
    for message in talk:
        if not isinstance(message, Mapping) or not isinstance(message.get("content"), str):
            break
        pieces.append(f"{message.get('role')}\n{message['content']}\n")
        length += len(pieces[-1])
        if size is not None and length >= size:
            break
    return "".join(pieces)[:size]


def _common(first: str, second: str) -> str:
    if second.startswith(first):
        return first
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if first[:middle] == second[:middle] else (low, middle - 1)
    return first[:low]
