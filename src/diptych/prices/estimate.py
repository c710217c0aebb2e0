"""What a call may cost before it is sent: prompt, output and money as ranges.

Rule: the prompt is counted, the output is bounded by what the request allows, and every
line of the cost names its tokens and its rate. ``low`` is a stop at once with the prompt
cached, ``high`` the longest output with nothing cached, reasoning included. A price that
is not known is None with a reason, never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from .. import tokens
from ..errors import PriceError
from ..request import Request
from ..tokens import Item, TokenCount
from ..tokens.shapes import whole_number
from ..views.card import Card, Table, shown_number
from ..views.shown import Shown
from .book import PriceBook, default
from .bounds import check_cached, choices, cost_of, headroom, output_bounds, tier
from .dialects import read_usage
from .fees import fees_of
from .lengths import SHARE, Guess, Lengths, guess_of
from .rates import Rates
from .usage import price_reading, reason_of, variant_of
from .values import Cost, Line, Residual, Tokens, plain

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Estimate(Shown):
    """What a request may cost; see :func:`estimate`.

    ``fits_context`` and ``headroom`` (tokens left in the context window beside prompt and
    reserved output) are None where the window is not known.

    >>> from diptych.prices import estimate
    >>> estimate([{"role": "user", "content": "Hi"}], "gpt-5.4-mini", output=100).cost.expected
    Decimal('0.00045525')
    """

    prompt: TokenCount
    output: Tokens
    cost: Cost | None
    lines: tuple[Line, ...]
    fits_context: bool | None
    headroom: int | None
    price_date: str | None
    price_source: str | None
    model: str
    reason: str | None = None
    variant: str | None = None
    rates: Rates | None = None
    likely: tuple[Decimal, Decimal] | None = None  #: USD between which 8 of 10 such calls lie
    price_notes: tuple[str, ...] = ()  #: what is announced for later days, and on which hours the price depends
    not_included: tuple[str, ...] = ()  #: what is billed beside the tokens and stands in no line

    def reconcile(self, usage: Mapping[str, Any]) -> Residual:
        """Return how far the estimate was from the usage that the server reports.

        See :func:`diptych.prices.price_usage` for the usage objects that are understood.

        >>> from diptych.prices import estimate
        >>> estimate("Hi", "gpt-5.4-mini").reconcile({"total_tokens": 9}).cost is None
        True
        """
        try:
            told = read_usage(usage)
        except PriceError as error:
            return Residual(None, None, None, None, str(error))
        paid, reason = price_reading(told, self.rates, self.model) if self.rates else (None, self.reason)
        within = self.output.low <= told.output and (self.output.high is None or told.output <= self.output.high)
        if self.prompt.low is not None and self.prompt.high is not None:
            within = within and self.prompt.low <= told.prompt <= self.prompt.high
        return Residual(
            None if self.prompt.tokens is None else told.prompt - self.prompt.tokens,
            told.output - round(self.output.expected),
            None if paid is None or self.cost is None else paid - self.cost.expected,
            within,
            reason or self.reason,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the estimate as a JSON object; money is text, so that no digit is lost."""
        money = self.cost and {k: None if v is None else plain(v) for k, v in self.cost._asdict().items()}
        found: dict[str, Any] = {
            "model": self.model,
            "prompt_tokens": self.prompt.tokens,
            "prompt_basis": self.prompt.basis,
            "output_tokens": self.output.to_json(),
            "cost": money or None,
            "lines": [line.to_json() for line in self.lines],
            "fits_context": self.fits_context,
            "headroom": self.headroom,
            "price_date": self.price_date,
            "price_source": self.price_source,
        }
        if self.likely:
            found["likely"] = {f"p{share}": plain(usd) for share, usd in zip(SHARE, self.likely, strict=True)}
        found |= {"tier": self.variant} if self.variant else {}
        found |= {"price_notes": list(self.price_notes)} if self.price_notes else {}
        found |= {"not_included": list(self.not_included)} if self.not_included else {}
        return {**found, "reason": self.reason} if self.reason else found

    def _card(self) -> Card:
        output, cost = self.output, self.cost
        facts = {
            "model": self.model,
            "prompt tokens": f"{shown_number(self.prompt.tokens) or 'unknown'} ({self.prompt.basis})",
            "output tokens": _span(output.low, output.expected, output.high, shown_number),
            "cost": _span(cost.low, cost.expected, cost.high, _usd) if cost else f"unknown: {self.reason}",
            "fits the window": {True: "yes", False: "no", None: None}[self.fits_context],
            "left in the window": shown_number(self.headroom),
            "prices": " ".join(filter(None, (self.price_date, self.price_source))),
            "notes": "\n".join(self.price_notes),
            "not included": "\n".join(self.not_included),
        }
        rows = [(ln.kind, shown_number(ln.tokens), _usd(ln.rate), _usd(ln.cost), ln.note) for ln in self.lines]
        columns = ("what", "tokens", "per million", "expected", "note")
        return Card("Estimate", facts, [Table("", columns, rows)] if rows else [])


def _span(low: T, expected: T, high: T | None, show: Callable[[T], str | None]) -> str:
    return f"{show(low)} at least, {show(expected)} expected, {'no limit' if high is None else f'{show(high)} at most'}"


def _usd(amount: Decimal) -> str:
    return f"${plain(amount)}"


def estimate(
    x: Any,
    model: str | None = None,
    *,
    output: int | Sequence[int] | Lengths | None = None,
    cached: int | None = None,
    service_tier: str | None = None,
    batch: bool = False,
    api: str | None = None,
    tokens: int | TokenCount | None = None,
    book: PriceBook | None = None,
    date: str | None = None,
) -> Estimate:
    """Return what sending ``x`` may cost: see :func:`diptych.tokens.count` for what ``x`` may be.

    ``output`` is the number of tokens that you expect in one reply, or the lengths of earlier replies:
    then their mean is expected, and ``likely`` has the USD between which 8 of 10 such calls lie. ``cached``
    is how many of the prompt are cached already; ``n`` and ``best_of`` of a body multiply the output.
    ``tokens`` is the prompt's count where you know it, so that nothing is counted here.
    A ``model`` given here wins over the body's own, a ``service_tier`` over the body's tier; ``api``
    is the API that it is sent to, where the model does not decide. ``date`` (ISO) picks the prices of
    that day, or of that time where they depend on the hour; without one ``high`` has the dearest hour and the
    dearest price that is announced. Raises TokenError on what cannot be counted, on a number of tokens or
    replies that is negative or no whole number, and on more ``cached`` tokens than the prompt has.

    >>> from diptych.prices import estimate
    >>> found = estimate("Hello", "no-such-model")
    >>> found.cost is None, found.reason
    (True, "no price is known for 'no-such-model'")
    >>> estimate({"prompt": "", "max_tokens": 10}, "gpt-5.4-mini", tokens=1000).cost.high
    Decimal('0.000795')
    """
    prompt = _prompt(x, model, api, tokens)
    guess, cached = guess_of(output), check_cached(cached, prompt)
    name, body = prompt.model, _body(x, model, api)
    price = (default() if book is None else book).find(name)
    variant = variant_of(service_tier or tier(body), batch)
    reply = output_bounds(body, price, guess, prompt)
    rates = price.rates(variant, day=date) if price else None
    reason = reason_of(price, name, variant) or (prompt.reason if prompt.tokens is None else None)
    cost, lines = None, ()  # type: Cost | None, tuple[Line, ...]
    if price is not None and rates is not None:
        lowest, highest = price.least(variant, day=date) or rates, price.dearest(variant, day=date) or rates
        cost, lines = cost_of(prompt, reply, cached, rates, body, lowest=lowest, highest=highest)
        reason = reason or (f"the price of {name!r} lacks a rate that this call needs" if cost is None else None)
    room = headroom(prompt, price, body, guess)
    return Estimate(
        prompt,
        reply,
        cost,
        lines,
        None if room is None else room >= 0,
        room,
        (price.checked or price.date) if price else None,
        price.source if price else None,
        name,
        reason,
        variant,
        rates,
        _likely(guess, choices(body), reply, lines),
        () if price is None else price.notes(variant, day=date),
        fees_of(body, name),
    )


def _likely(guess: Guess, times: int, reply: Tokens, lines: tuple[Line, ...]) -> tuple[Decimal, Decimal] | None:
    """Return between which USD 8 of 10 such calls lie, None where no lengths of earlier replies show it."""
    written = next((line for line in lines if line.kind.startswith("output")), None)
    if not isinstance(guess, Lengths) or written is None:
        return None
    between = guess.between(times, cap=None if reply.high is None else reply.high // times)
    rest = sum((line.cost for line in lines), -written.cost)
    per_token = written.rate / 1_000_000
    return None if between is None else (rest + between[0] * per_token, rest + between[1] * per_token)


def _prompt(x: Any, model: str | None, api: str | None, given: int | TokenCount | None) -> TokenCount:
    """Return the count of the prompt: the caller's, else our own."""
    if isinstance(given, TokenCount):
        return given if model is None else given._replace(model=model)
    if given is None:
        return tokens.count(x, model, api=api)
    number = whole_number(given, "tokens") or 0
    named = tokens.name_of(_body(x, model, api), model=model)
    return TokenCount(number, "exact", (Item("$", "given", number),), None, number, number, named)


def _body(x: Any, model: str | None, api: str | None) -> Mapping[str, Any]:
    body = tokens.body_of(x, model=model, api=api)
    if isinstance(x, Mapping | Request):
        return body
    # A bare text or list is to be priced; it is not a body with defaults of its own.
    return {name: value for name, value in body.items() if name != "model"}
