"""What a call may cost before it is sent: prompt, output and money as ranges.

Rule: the prompt is counted, the output is bounded by what the request allows, and every
line of the cost names its tokens and its rate. ``low`` is a stop at once with the prompt
cached, ``high`` the longest output with nothing cached, reasoning included. A price that
is not known is None with a reason, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple

from .. import tokens
from ..errors import PriceError, TokenError
from ..request import Request
from ..tokens import TokenCount
from ..tokens.shapes import expect, whole_number
from .book import PriceBook, default
from .dialects import read_usage
from .rates import Price, Rates
from .usage import price_parts, price_reading, reason_of, variant_of

#: Output tokens that are expected where neither the caller nor the request says more.
EXPECTED_OUTPUT: Final = 256
#: The Completions API writes at most this many tokens where no cap is given (API reference, 2026-11).
COMPLETIONS_CAP: Final = 16
#: Prompts are cached from here on, in steps (OpenAI, "Prompt caching", 2024-10; recorded hits agree).
CACHE_FROM: Final = 1024
CACHE_STEP: Final = 128


class Tokens(NamedTuple):
    """Output tokens of all choices: at least, expected, at most (None: nothing bounds them)."""

    low: int
    expected: int
    high: int | None


class Cost(NamedTuple):
    """USD: at least, expected, at most (None: nothing bounds it). Costs add up, with ``sum`` too.

    >>> one = Cost(Decimal("0.1"), Decimal("0.2"), None)
    >>> sum([one, one])
    Cost(low=Decimal('0.2'), expected=Decimal('0.4'), high=None)
    """

    low: Decimal
    expected: Decimal
    high: Decimal | None

    def __add__(self, other: object) -> Cost:
        if not isinstance(other, Cost):
            return self if other == 0 else NotImplemented
        high = None if self.high is None or other.high is None else self.high + other.high
        return Cost(self.low + other.low, self.expected + other.expected, high)

    def __radd__(self, other: object) -> Cost:
        return self + other  # sum begins with 0


class Line(NamedTuple):
    """One line of the expected cost: what, how many tokens, USD a million, USD, and why."""

    kind: str
    tokens: int
    rate: Decimal
    cost: Decimal
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the line as a JSON object; money is text, so that no digit is lost."""
        found: dict[str, Any] = {"kind": self.kind, "tokens": self.tokens}
        found |= {"usd_per_million": _plain(self.rate), "usd": _plain(self.cost)}
        return {**found, "note": self.note} if self.note else found


class Residual(NamedTuple):
    """Actual minus estimated: prompt tokens, output tokens (against expected), USD.

    ``is_within`` says whether all of them lie in the estimate's range. A positive
    number means that the call was dearer. ``reason`` says why a number is None; a usage
    that is not understood leaves all of them None. Keep these: they are what rules are
    checked on.
    """

    prompt: int | None
    output: int | None
    cost: Decimal | None
    is_within: bool | None
    reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the residual as a JSON object."""
        cost = None if self.cost is None else _plain(self.cost)
        found = {"prompt": self.prompt, "output": self.output, "cost": cost, "is_within": self.is_within}
        return {**found, "reason": self.reason} if self.reason else found


@dataclass(frozen=True, slots=True)
class Estimate:
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
            told.output - self.output.expected,
            None if paid is None or self.cost is None else paid - self.cost.expected,
            within,
            reason or self.reason,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the estimate as a JSON object; money is text, so that no digit is lost."""
        money = self.cost and {k: None if v is None else _plain(v) for k, v in self.cost._asdict().items()}
        found: dict[str, Any] = {
            "model": self.model,
            "prompt_tokens": self.prompt.tokens,
            "prompt_basis": self.prompt.basis,
            "output_tokens": self.output._asdict(),
            "cost": money or None,
            "lines": [line.to_json() for line in self.lines],
            "fits_context": self.fits_context,
            "headroom": self.headroom,
            "price_date": self.price_date,
            "price_source": self.price_source,
        }
        found |= {"tier": self.variant} if self.variant else {}
        return {**found, "reason": self.reason} if self.reason else found


def _plain(amount: Decimal) -> str:
    """Return an amount without an exponent."""
    return format(amount, "f")


def estimate(
    x: Any,
    model: str | None = None,
    *,
    output: int | None = None,
    cached: int | None = None,
    service_tier: str | None = None,
    batch: bool = False,
    api: str | None = None,
    book: PriceBook | None = None,
    date: str | None = None,
) -> Estimate:
    """Return what sending ``x`` may cost: see :func:`diptych.tokens.count` for what ``x`` may be.

    ``output`` is the number of tokens that you expect in one answer, ``cached`` how many of
    the prompt are cached already; ``n`` and ``best_of`` of a body multiply the output.
    A ``model`` given here wins over the body's own; ``api`` is the API that it is sent to, where
    the model does not decide. ``date`` (ISO) picks the prices of that
    day. Raises TokenError on what cannot be counted, on a number of tokens or answers that is
    negative or no whole number, and on more ``cached`` tokens than the prompt has.

    >>> from diptych.prices import estimate
    >>> found = estimate("Hello", "no-such-model")
    >>> found.cost is None, found.reason
    (True, "no price is known for 'no-such-model'")
    """
    prompt = tokens.count(x, model, api=api)
    output, cached = whole_number(output, "output"), _cached(cached, prompt)
    name = prompt.model
    book = default() if book is None else book
    price = book.find(name)
    body = tokens.body_of(x, model=model, api=api)
    if not isinstance(x, Mapping | Request):
        # A bare text or list is to be priced; it is no body with defaults of its own.
        body = {name: value for name, value in body.items() if name != "model"}
    service_tier = service_tier or _tier(body)
    variant = variant_of(service_tier, batch)
    answer = _output(body, price, output, prompt)
    rates = price.rates(variant, day=date) if price else None
    reason = reason_of(price, name, variant) or (prompt.reason if prompt.tokens is None else None)
    cost, lines = (None, ()) if rates is None else _cost(prompt, answer, cached, rates, _output_kind(body))
    if rates is not None and cost is None and reason is None:
        reason = f"the price of {name!r} lacks a rate that this call needs"
    headroom = _headroom(prompt, price, body, output)
    return Estimate(
        prompt,
        answer,
        cost,
        lines,
        None if headroom is None else headroom >= 0,
        headroom,
        price.date if price else None,
        price.source if price else None,
        name,
        reason,
        variant,
        rates,
    )


# what a request says ------------------------------------------------------------------


def _cached(cached: int | None, prompt: TokenCount) -> int | None:
    """Return the number of cached tokens. Raises TokenError on more than the prompt can have."""
    number = whole_number(cached, "cached")
    if number is not None and prompt.high is not None and number > prompt.high:
        raise TokenError(f"cached is {number}, but the prompt has {prompt.high} tokens")
    return number


def _tier(body: Mapping[str, Any]) -> str | None:
    if body.get("service_tier") is None:
        return None
    expect(body["service_tier"], (str,), "$.service_tier", "a string")
    return str(body["service_tier"])


def _output_kind(body: Mapping[str, Any]) -> str:
    """Return which rate the answer pays: one that is spoken pays for audio."""
    modalities = body.get("modalities")
    return "output_audio" if isinstance(modalities, list | tuple) and "audio" in modalities else "output"


# output -------------------------------------------------------------------------------


def _choices(body: Mapping[str, Any]) -> int:
    """Return how many answers are billed: ``best_of`` (Completions) or ``n``, a prompt each."""
    times = max(whole_number(body.get(key), f"$.{key}", least=1) or 1 for key in ("n", "best_of"))
    prompts = body.get("prompt")
    if isinstance(prompts, list | tuple) and prompts and not isinstance(prompts[0], int):
        return times * len(prompts)
    return times


def _cap(body: Mapping[str, Any]) -> int | None:
    """Return the output cap that the request states, the API's own where it has one."""
    caps = [whole_number(body.get(key), f"$.{key}") for key in ("max_completion_tokens", "max_tokens")]
    stated = next((cap for cap in caps if cap is not None), None)
    if stated is not None:
        return stated
    # A bare text is a prompt to be priced, not a Completions body with its default of 16.
    return COMPLETIONS_CAP if "prompt" in body and "model" in body else None


def _output(body: Mapping[str, Any], price: Price | None, guess: int | None, prompt: TokenCount) -> Tokens:
    times, cap = _choices(body), _cap(body)
    bounds = [cap, price.max_output if price else None]
    if price and price.context_window and prompt.low is not None and price.max_output is None:
        bounds.append(max(0, price.context_window - prompt.low))
    stated = [bound for bound in bounds if bound is not None]
    most = min(stated) if stated else None
    expected = EXPECTED_OUTPUT if guess is None else guess
    if most is not None:
        expected = min(expected, most)
    return Tokens(0, expected * times, None if most is None else max(most, expected) * times)


def _headroom(prompt: TokenCount, price: Price | None, body: Mapping[str, Any], guess: int | None) -> int | None:
    if price is None or price.context_window is None or prompt.high is None:
        return None
    reserved = _cap(body) if _cap(body) is not None else guess
    room = price.context_window - prompt.high - (reserved or 0)
    return room if price.input_limit is None else min(room, price.input_limit - prompt.high)


# cost ---------------------------------------------------------------------------------


def _cost(
    prompt: TokenCount, answer: Tokens, cached: int | None, rates: Rates, kind: str
) -> tuple[Cost | None, tuple[Line, ...]]:
    if prompt.tokens is None or prompt.low is None or prompt.high is None:
        return None, ()
    hit = min(prompt.tokens, cached or 0)
    lines = _lines(_input_parts(prompt, hit, rates) | {kind: answer.expected}, rates)
    low = price_parts(_parts(prompt.low, _cacheable(prompt.low, cached), answer.low), rates)
    high = None if answer.high is None else price_parts(_highest_parts(prompt, rates) | {kind: answer.high}, rates)
    if low is None or lines is None:
        return None, ()
    return Cost(low, sum((line.cost for line in lines), Decimal(0)), high), lines


def _cacheable(prompt: int, cached: int | None) -> int:
    """Return the most tokens that the cache can hold: whole steps from the least prompt on."""
    if cached is not None:
        return min(prompt, cached)
    return prompt // CACHE_STEP * CACHE_STEP if prompt >= CACHE_FROM else 0


def _parts(prompt: int, cached: int, output: int) -> dict[str, int]:
    return {"input": prompt - cached, "cached": cached, "output": output}


def _input_parts(prompt: TokenCount, cached: int, rates: Rates) -> dict[str, int]:
    """Return the prompt's expected tokens by kind of rate: audio always has its own, images on some models."""
    audio = sum(item.tokens for item in prompt.items if item.kind == "audio")
    image = sum(item.tokens for item in prompt.items if item.kind == "image") if rates.has("input_image") else 0
    plain = max(0, (prompt.tokens or 0) - cached - audio - image)
    return {"input": plain, "cached": cached, "input_audio": audio, "input_image": image}


def _highest_parts(prompt: TokenCount, rates: Rates) -> dict[str, int]:
    """Return the most tokens that the prompt may have, by kind of rate, none of them cached."""
    high = prompt.high or 0
    audio = sum(item.range[1] for item in prompt.items if item.kind == "audio")
    image = sum(item.range[1] for item in prompt.items if item.kind == "image") if rates.has("input_image") else 0
    kind = "cache_write" if rates.has("cache_write") and high >= CACHE_FROM else "input"
    return {kind: max(0, high - audio - image), "input_audio": audio, "input_image": image}


def _lines(parts: Mapping[str, int], rates: Rates) -> tuple[Line, ...] | None:
    prompt = sum(tokens for name, tokens in parts.items() if not name.startswith("output"))
    note = "long-context rate" if rates.at("input", prompt_tokens=prompt) != rates.at("input") else ""
    lines = []
    for kind, number in parts.items():
        if number == 0 and kind not in ("input", "output"):
            continue
        rate = rates.at(kind, prompt_tokens=prompt)
        if rate is None and number:
            return None
        rate = rate or Decimal(0)
        lines.append(Line(kind, number, rate, number * rate / 1_000_000, note))
    return tuple(lines)
