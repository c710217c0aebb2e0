"""What a call did cost: from the usage that the server reports to USD.

Rule: the usage is read by :mod:`.dialects`; every kind of token pays its rate. A price is
None, and :func:`why_unpriced` says why, where the model, the usage or a rate is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from ..errors import PriceError
from .book import PriceBook, default
from .dialects import read_usage
from .fields import MOST_TOKENS, UsageReading
from .price import Price
from .rates import ANTHROPIC, Rates

_MILLION: Final = Decimal(1_000_000)
#: A prompt of this many tokens is below every long-context tier of the snapshot.
_SHORT: Final = 100_000


def variant_of(service_tier: str | None, batch: bool) -> str | None:
    """Return which variant of a price is meant: None, ``batch``, ``flex``, ``priority`` or ``fast``."""
    if batch:
        return "batch"
    return None if service_tier in (None, "", "auto", "default", "standard") else service_tier


def price_usage(
    model: str,
    usage: Mapping[str, Any],
    *,
    service_tier: str | None = None,
    batch: bool = False,
    book: PriceBook | None = None,
    date: str | None = None,
) -> Decimal | None:
    """Return the cost of a reported usage in USD, or None where it cannot be known.

    ``usage`` is the usage object of Chat, Completions, Responses, Anthropic, Gemini
    (``usageMetadata``), Bedrock or Ollama. ``service_tier`` and ``batch`` pick the tier; by
    default the one that Anthropic's usage reports. ``date`` (ISO) picks the price of that day, or of that time
    where it depends on the hour; without a time the dearest hour holds.
    :func:`why_unpriced` gives the reason of None.

    >>> price_usage("gpt-5.4-mini", {"prompt_tokens": 1000, "completion_tokens": 500}) == Decimal("0.003")
    True
    >>> price_usage("gpt-5.4-mini", {"total_tokens": 1500}) is None
    True
    """
    if type(usage) is dict and type(model) is str and len(usage) <= 3:
        prompt, output = usage.get("prompt_tokens"), usage.get("completion_tokens")
        if type(prompt) is int and type(output) is int and 0 <= prompt <= _SHORT and 0 <= output <= MOST_TOKENS:
            # The common case, text alone, costs a few look-ups.
            if len(usage) == 2 or usage.get("total_tokens") == prompt + output:
                key: Any = book  # books are told apart by identity
                found = _held(model, variant_of(service_tier, batch), key, date)
                if found.plain_in is not None and found.plain_out is not None:
                    return prompt * found.plain_in + output * found.plain_out
    return _price(model, usage, variant_of(service_tier, batch), book, date)[0]


def why_unpriced(
    model: str,
    usage: Mapping[str, Any],
    *,
    service_tier: str | None = None,
    batch: bool = False,
    book: PriceBook | None = None,
    date: str | None = None,
) -> str | None:
    """Return why :func:`price_usage` gives None for the same arguments, None where it gives a price.

    >>> why_unpriced("gpt-5.4-mini", {"total_tokens": 1500})
    '$: the usage has none of the known token fields (found: total_tokens)'
    """
    return _price(model, usage, variant_of(service_tier, batch), book, date)[1]


def _price(
    model: Any, usage: Any, variant: str | None, book: PriceBook | None, date: str | None
) -> tuple[Decimal | None, str | None]:
    """Return the price, or None and the reason."""
    if not isinstance(model, str):
        return None, "the model is unknown"
    try:
        reading = read_usage(usage)
    except PriceError as error:
        return None, str(error)
    key: Any = book
    variant = variant or reading.variant
    held = _held(model, variant, key, date)
    if held.rates is None:
        return None, reason_of(held.price, model, variant)
    return price_reading(reading, held.rates, model)


def price_reading(reading: UsageReading, rates: Rates, model: str) -> tuple[Decimal | None, str | None]:
    """Return the cost in USD of a usage that was read, or None and the reason."""
    is_anthropic = reading.is_anthropic
    missing = [kind for parts in reading.splits for kind in parts if _rate(rates, kind, 0, is_anthropic) is None]
    if missing:
        return None, f"no {missing[0]} rate is known for {model!r}"
    prices = {price_parts(parts, rates, is_anthropic=is_anthropic) for parts in reading.splits}
    if len(prices) != 1:
        return None, "the usage does not report which of text, audio and images were cached, and their rates differ"
    return prices.pop(), None


class _Held:
    """The rates of a model that hold for a call, and USD per token of a short text."""

    __slots__ = ("plain_in", "plain_out", "price", "rates")

    def __init__(self, price: Price | None, rates: Rates | None) -> None:
        self.price, self.rates = price, rates
        per_token = [rates.at(name) if rates else None for name in ("input", "output")]
        self.plain_in, self.plain_out = (None if rate is None else rate / _MILLION for rate in per_token)


@lru_cache(maxsize=512)
def _held(model: str, variant: str | None, book: Any, date: str | None) -> _Held:
    shelf: PriceBook = default() if book is None else book
    price = shelf.find(model)
    return _Held(price, price.rates(variant, day=date) if price else None)


def price_parts(parts: Mapping[str, int], rates: Rates, *, is_anthropic: bool = False) -> Decimal | None:
    """Return the cost in USD of tokens by kind of rate, None where a kind has no rate."""
    prompt = sum(tokens for name, tokens in parts.items() if not name.startswith("output"))
    total = Decimal(0)
    for name, tokens in parts.items():
        rate = _rate(rates, name, prompt, is_anthropic) if tokens else Decimal(0)
        if rate is None:
            return None
        total += tokens * rate / _MILLION
    return total


def _rate(rates: Rates, kind: str, prompt: int, is_anthropic: bool) -> Decimal | None:
    if is_anthropic and kind in ANTHROPIC and not rates.has(kind):
        base = rates.at("input", prompt_tokens=prompt)
        return None if base is None else base * ANTHROPIC[kind]
    return rates.at(kind, prompt_tokens=prompt)


def reason_of(price: Price | None, model: str, variant: str | None) -> str | None:
    """Return why a model has no price in this variant, None where it has one."""
    if price is None:
        return f"no price is known for {model!r}"
    if price.rates(variant) is None:
        return f"no {variant or 'standard'} price is known for {model!r}"
    return None
