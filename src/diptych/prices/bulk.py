"""What many requests cost together: totals per model, the dearest rows, percentiles, in constant memory.

How it works: a row is counted once for all models that count alike, and priced in whole picodollars,
so that totals are exact and equal the sum of :func:`estimate`. Totals of two parts of a file merge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from .. import tokens
from ..catalogue.models import model_info
from ..errors import DiptychError
from ..request import Request
from ..tokens import TokenCount
from ..tokens.chat import NEEDS_MORE
from ..tokens.foreign import HEADS
from ..tokens.plain import plain_sums
from ..tokens.rules import rules_of
from .book import PriceBook, default
from .bounds import CACHE_FROM, CACHE_STEP, choices, output_bounds, output_cap, output_kind, tier
from .dialects import read_usage
from .estimate import Estimate, estimate
from .hours import read_moment
from .lengths import Guess, Lengths
from .plain import Lane, Pricer, pico
from .price import Price
from .totals import NO_SPREAD, Spread, Totals
from .usage import price_usage, variant_of
from .values import Tokens

#: Fields with which a request is more than its messages, its model and its sampling.
_OTHER: Final = NEEDS_MORE | HEADS | {
    "service_tier", "system", "contents", "input", "instructions", "prompt", "inferenceConfig", "generationConfig",
    "options", "audio",
}  # fmt: skip
#: The numbers of a body that bound its output.
_NUMBERS: Final = ("max_completion_tokens", "max_output_tokens", "max_tokens", "n", "best_of")
_INTS: Final = frozenset({int, type(None)})
#: So many kinds of rows are held before they are priced: about 5 MB.
_MOST_ALIKE: Final = 8192
#: What makes a row too special for the short way.
_SPECIAL: Final = frozenset({"audio", "image"})


@dataclass(slots=True)
class _Alike:
    """Rows of plain messages with the same sums and the same bounds."""

    cap: int | None
    times: int
    guess: Guess | tuple[Guess, ...]
    rows: int = 0
    keys: list[str] = field(default_factory=list)


class _Encodings(dict[tuple[str, ...], tuple[str, ...]]):
    """The distinct encodings of several models, looked up once."""

    def __missing__(self, names: tuple[str, ...]) -> tuple[str, ...]:
        self[names] = tuple(sorted({model_info(name).encoding or "" for name in names}))
        return self[names]


class Bulk:
    """Adds up what requests cost, for their own models or for each of ``models``.

    ``output`` are the tokens expected in one reply, or the :class:`Lengths` of earlier ones; ``cached`` are
    those of each prompt that are cached.
    ``batch`` prices at the rates of the Batch API, ``date`` (ISO) at those of that day or time.
    ``most`` is how many of the dearest rows are kept.

    >>> bulk = Bulk(["gpt-4o", "gpt-4.1"], output=100)
    >>> for text in ("Hello", "Good night"):
    ...     bulk.add([{"role": "user", "content": text}])
    >>> bulk.to_json()["totals"]["gpt-4.1"]["cost"]["expected"]
    '0.001634'
    """

    def __init__(
        self,
        models: Sequence[str] = (),
        *,
        output: Guess = None,
        cached: int | None = None,
        batch: bool = False,
        service_tier: str | None = None,
        date: str | None = None,
        most: int = 5,
        book: PriceBook | None = None,
    ) -> None:
        self.models = tuple(models)
        self.output, self.cached, self.batch, self.tier, self.most = output, cached, batch, service_tier, most
        self.date = date if date is None else read_moment(date) and date
        self.book = default() if book is None else book
        self.requests = self.refused = 0
        self._by_model: dict[str, Totals] = {}
        self.groups: dict[str, Totals] = {}
        self.prefix: str | None = None
        self._kin: dict[str, Any] = {}
        self._prices: dict[str, Price | None] = {}
        self._lanes: dict[str, Lane | None] = {}
        self._alike: dict[Any, _Alike] = {}
        self._encodings = _Encodings()
        self._pricers: dict[tuple[str, str | None], Pricer | None] = {}

    def __getstate__(self) -> dict[str, Any]:
        self._settle()
        return {**vars(self), "book": None, "_kin": {}, "_prices": {}, "_pricers": {}, "_lanes": {}}

    def add(
        self, x: Any, *, key: str = "", model: str | None = None, group: str | None = None, answer: str | None = None
    ) -> None:
        """Add one request; ``answer`` is the text of its reply, where that is known.

        Raises the error of a request that cannot be counted; it then counts as refused.
        """
        self.requests += 1
        try:
            body = tokens.body_of(x, model=model)
            if type(x) is not dict and not isinstance(x, Mapping | Request):
                body = {name: value for name, value in body.items() if name != "model"}
            names = self.models or (tokens.name_of(body, model=model),)
            guess = self.output if answer is None else tuple(self._length(answer, name) for name in names)
            if group is None and self._add_plain(body, names, key or str(self.requests), guess):
                return self._shorten(body)
            counts: dict[Any, TokenCount] = {}
            for index, name in enumerate(names):
                self._add(body, name, key or str(self.requests), group, counts, _for(guess, index))
        except DiptychError:
            self.refused += 1
            raise
        return self._shorten(body)

    def add_usage(self, usage: Mapping[str, Any], *, model: str, key: str, batch: bool, group: str | None) -> None:
        """Add what a call did cost, from the usage that its reply reports."""
        self.requests += 1
        paid = price_usage(model, usage, batch=batch, book=self.book, date=self.date)
        totals = self._totals(model, group)
        if paid is None:
            return _missed(totals, f"the usage of {model!r} has no price")
        other = price_usage(model, usage, batch=not batch, book=self.book, date=self.date)
        amount, told = pico(paid), read_usage(usage)
        for one in totals:
            size = (told.prompt,) * 3
            one.add(
                [key],
                size=size,
                reply=Tokens(*(told.output,) * 3),
                cost=(amount,) * 3,
                beside=None if other is None else pico(other),
                in_batch=batch,
                most=self.most,
            )
        return None

    def merge(self, other: Bulk) -> None:
        """Add what another part of the rows adds up to."""
        self.requests, self.refused = self.requests + other.requests, self.refused + other.refused
        for mine, theirs in ((self.totals, other.totals), (self.groups, other.groups)):
            for name, totals in theirs.items():
                mine.setdefault(name, Totals()).merge(totals, most=self.most)
        if other.prefix is not None:
            self.prefix = other.prefix if self.prefix is None else _common(self.prefix, other.prefix)

    def to_json(self) -> dict[str, Any]:
        """Return the totals as a JSON object; money is text, so that no digit is lost."""
        shared = {name: self.shared_tokens(name) for name in self.totals}
        found: dict[str, Any] = {
            "requests": self.requests,
            "refused": self.refused,
            "totals": {name: one.to_json(prefix=shared[name]) | self._notes(name) for name, one in self.totals.items()},
            "common_prefix_tokens": max(shared.values(), default=0),
        }
        groups = {name: one.to_json() for name, one in self.groups.items()}
        return {**found, "groups": groups} if groups else found

    def _notes(self, name: str) -> dict[str, list[str]]:
        price = self._price(name)
        notes = () if price is None else price.notes(variant_of(self.tier, self.batch), day=self.date)
        return {"price_notes": [*notes]} if notes else {}

    def shared_tokens(self, model: str) -> int:
        """Return the tokens that a prompt cache would hold: the common start of all rows, in whole steps."""
        info = model_info(model)
        if not self.prefix or info.encoding is None:
            return 0
        size = tokens.count_text(self.prefix, encoding_name=info.encoding)
        return size // CACHE_STEP * CACHE_STEP if size >= CACHE_FROM else 0

    # one row --------------------------------------------------------------------------

    def _add(
        self, body: Mapping[str, Any], name: str, key: str, group: str | None, counts: dict[Any, TokenCount],
        guess: Guess,
    ) -> None:  # fmt: skip
        count = self._count(body, name, counts)
        variant = variant_of(self.tier or tier(body), self.batch)
        price = self._price(name)
        reply = output_bounds(body, price, guess, count)
        totals = self._totals(name, group)
        costs = self._cost(body, name, variant, count, reply, guess)
        if costs is None:
            found = estimate(
                body, name, tokens=count, service_tier=variant, batch=self.batch, date=self.date, book=self.book
            )
            return _missed(totals, found.reason or "no price is known")
        other = self._cost(body, name, None if self.batch else "batch", count, reply, guess)
        size, beside = (count.low or 0, count.tokens or 0, count.high or 0), None if other is None else other[1]
        spread = self._spread(body, price, variant, count.tokens or 0, reply, guess)
        for one in totals:
            one.add(
                [key], size=size, reply=reply, cost=costs, beside=beside, in_batch=self.batch, most=self.most,
                spread=spread,
            )  # fmt: skip
            if price is not None and (pricer := self._pricer(name, variant)) is not None:
                one.cache_saves = pricer.cache_saves
        return None

    def _length(self, answer: str, name: str) -> Guess:
        return tokens.count(answer, name).tokens

    def _spread(
        self, body: Mapping[str, Any], price: Price | None, variant: str | None, size: int, reply: Tokens, guess: Guess
    ) -> Spread:
        rates = None if price is None else price.rates(variant, day=self.date)
        rate = None if rates is None else rates.at(output_kind(body), prompt_tokens=size)
        return NO_SPREAD if rate is None else spread_of(guess, choices(body), reply, rate * 1_000_000)

    def _add_plain(
        self, body: Mapping[str, Any], names: tuple[str, ...], key: str, guess: Guess | tuple[Guess, ...]
    ) -> bool:
        """Add a request of plain messages the short way, where every model has one; say whether it was added.

        Requests that are alike in all that a price depends on are priced once, when they are added up.
        """
        messages = body.get("messages")
        if type(messages) is not list or self.cached is not None or not _OTHER.isdisjoint(body):
            return False
        lanes = tuple([self._lane(name) for name in names])
        if None in lanes:
            return False
        sums = tuple([plain_sums(messages, encoding) for encoding in self._encodings[names]])
        numbers = tuple([body.get(name) for name in _NUMBERS])
        if None in sums or not _INTS.issuperset(map(type, numbers)):
            return False
        alike = self._alike.get((names, sums, numbers, guess))
        if alike is None:
            alike = self._alike[names, sums, numbers, guess] = _Alike(output_cap(body), choices(body), guess)
        alike.rows += 1
        if alike.rows <= self.most:
            alike.keys.append(key)
        if len(self._alike) > _MOST_ALIKE:
            self._settle()
        return True

    def _settle(self) -> None:
        """Price the rows that are alike."""
        for (names, sums, *_), alike in self._alike.items():
            by_encoding = dict(zip(self._encodings[names], sums, strict=True))
            for index, name in enumerate(names):
                lane, guess = self._lane(name), _for(alike.guess, index)
                assert lane is not None
                size = by_encoding[lane.encoding].total(lane.rules)
                reply = lane.reply(alike.cap, alike.times, guess)
                beside = None if lane.beside is None else lane.beside.of_size(size, reply, None)[1]
                totals = self._totals(name, None)[0]
                totals.cache_saves = lane.pricer.cache_saves
                totals.add(
                    alike.keys, size=(size,) * 3, reply=reply, cost=lane.pricer.of_size(size, reply, None),
                    beside=beside, in_batch=self.batch, most=self.most, rows=alike.rows,
                    spread=spread_of(guess, alike.times, reply, lane.pricer.output_rate(size)),
                )  # fmt: skip
        self._alike.clear()

    @property
    def totals(self) -> dict[str, Totals]:
        """What the rows add up to, by model."""
        self._settle()
        return self._by_model

    def _lane(self, name: str) -> Lane | None:
        if name not in self._lanes:
            self._lanes[name] = self._new_lane(name)
        return self._lanes[name]

    def _new_lane(self, name: str) -> Lane | None:
        info, price = model_info(name), self._price(name)
        pricer = self._pricer(name, variant_of(self.tier, self.batch))
        rules = rules_of(info.family, info.base)
        if price is None or pricer is None or pricer.marks_cache or not (info.known and info.is_recorded):
            return None
        has_bounds = price.max_output is not None or price.context_window is None
        writes = (rates := price.rates()) is not None and rates.writes
        if info.encoding is None or rules.content_only or not has_bounds or not writes:
            return None
        beside = self._pricer(name, None if self.batch else "batch")
        return Lane(pricer, beside, price.max_output, info.encoding, rules)

    def _totals(self, name: str, group: str | None) -> list[Totals]:
        found = [self._by_model.setdefault(name, Totals())]
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
            self._pricers[at] = None if price is None else Pricer.of(price, variant, day=self.date)
        return self._pricers[at]

    def _cost(
        self, body: Mapping[str, Any], name: str, variant: str | None, count: TokenCount, reply: Tokens,
        guess: Guess,
    ) -> tuple[int, int, int | None] | None:  # fmt: skip
        pricer = self._pricer(name, variant)
        if pricer is not None and pricer.takes(body, count):
            return pricer.cost(count, reply, self.cached)
        is_batch = variant == "batch"
        tiered = None if is_batch else variant or "default"
        found = estimate(
            body, name, tokens=count, output=guess, cached=self.cached,
            service_tier=tiered, batch=is_batch, date=self.date, book=self.book,
        )  # fmt: skip
        return _picos(found)

    # the common start ------------------------------------------------------------------

    def _shorten(self, body: Mapping[str, Any]) -> None:
        if self.prefix == "":
            return
        start = _start(body, len(self.prefix) if self.prefix is not None else None)
        common = start if self.prefix is None else _common(self.prefix, start)
        # A token has a character at least: so short a start is in no cache.
        self.prefix = common if len(common) >= CACHE_FROM else ""


def _missed(totals: Iterable[Totals], reason: str) -> None:
    for one in totals:
        one.requests += 1
        one.unpriced += 1
        one.reason = one.reason or reason


def _for(guess: Guess | tuple[Guess, ...], index: int) -> Guess:
    """Return what is expected of a reply of the model at this place."""
    return guess[index] if isinstance(guess, tuple) else guess


def spread_of(guess: Guess, times: int, reply: Tokens, rate: Decimal | int) -> Spread:
    """Return how far the cost of a row may lie from the expected, at a rate of picodollars per token."""
    if not isinstance(guess, Lengths):
        return NO_SPREAD
    deviation = guess.deviation(None if reply.high is None else reply.high // times)
    return Spread(round(deviation * float(rate)), times, len(guess.values))


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
