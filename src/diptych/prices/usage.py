"""What a call did cost: from the usage that the server reports to USD.

Rule: cached, cache-written, audio and image tokens are parts of the prompt's and the
reply's tokens, never added to them. The price is None where no price is known. The
common case, text with or without cached tokens, costs a few look-ups.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from .book import PriceBook, default
from .rates import Price, Rates

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
    """Return what a usage costs in USD, None where no price is known for the model or the tier.

    ``usage`` is the object of either API (``prompt_tokens`` … with ``*_details``), or one with
    ``cached_tokens`` beside them. ``date`` (ISO) picks the price of that day.

    >>> price_usage("gpt-4o-mini", {"prompt_tokens": 1000, "completion_tokens": 500}) == Decimal("0.00045")
    True
    """
    key: Any = book  # books are told apart by identity
    found = _short_rates(model, variant_of(service_tier, batch), key, date)
    if found is None:
        return None
    rates, plain_in, plain_out, plain_cached = found
    prompt: int = usage.get("prompt_tokens") or usage.get("input_tokens") or 0
    output: int = usage.get("completion_tokens") or usage.get("output_tokens") or 0
    before = usage.get("prompt_tokens_details") or usage.get("input_tokens_details")
    after = usage.get("completion_tokens_details") or usage.get("output_tokens_details")
    if prompt <= _SHORT and not _has_media(before, after) and plain_in is not None and plain_out is not None:
        cached: int = (before.get("cached_tokens") if before else usage.get("cached_tokens")) or 0
        if cached:
            cached = min(cached, prompt)
            return (prompt - cached) * plain_in + cached * (plain_cached or plain_in) + output * plain_out
        return prompt * plain_in + output * plain_out
    return price_parts(split_usage(usage), rates)


def _has_media(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> bool:
    if before and (before.get("audio_tokens") or before.get("image_tokens") or before.get("cache_write_tokens")):
        return True
    return bool(after and (after.get("audio_tokens") or after.get("image_tokens")))


_Plain = tuple[Rates, Decimal | None, Decimal | None, Decimal | None]


@lru_cache(maxsize=512)
def _short_rates(model: str, variant: str | None, book: Any, date: str | None) -> _Plain | None:
    """Return the rates of a model, and USD a token of input, output and cached input for a short prompt."""
    shelf: PriceBook = default() if book is None else book
    price = shelf.find(model)
    rates = price.rates(variant, date) if price else None
    if rates is None:
        return None
    per_token = (rates.at(name) for name in ("input", "output", "cached"))
    plain_in, plain_out, plain_cached = (None if rate is None else rate / _MILLION for rate in per_token)
    return rates, plain_in, plain_out, plain_cached


def split_usage(usage: Mapping[str, Any]) -> dict[str, int]:
    """Return disjoint numbers of tokens by kind of rate.

    >>> split_usage({"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}})
    {'input': 6, 'cached': 4, 'output': 5}
    """
    before = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}
    after = usage.get("completion_tokens_details") or usage.get("output_tokens_details") or {}
    parts = {
        "cached": before.get("cached_tokens") or usage.get("cached_tokens") or 0,
        "cache_write": before.get("cache_write_tokens") or 0,
        "input_audio": before.get("audio_tokens") or 0,
        "input_image": before.get("image_tokens") or 0,
    }
    prompt = usage.get("prompt_tokens") or usage.get("input_tokens") or 0
    output = usage.get("completion_tokens") or usage.get("output_tokens") or 0
    audio, image = after.get("audio_tokens") or 0, after.get("image_tokens") or 0
    found = {"input": max(0, prompt - sum(parts.values())), **parts}
    found |= {"output": max(0, output - audio - image), "output_audio": audio, "output_image": image}
    return {name: tokens for name, tokens in found.items() if tokens}


def price_parts(parts: Mapping[str, int], rates: Rates) -> Decimal | None:
    """Return the cost in USD of tokens by kind of rate, None where a kind has no rate."""
    prompt = sum(tokens for name, tokens in parts.items() if not name.startswith("output"))
    total = Decimal(0)
    for name, tokens in parts.items():
        rate = rates.at(name, prompt)
        if rate is None:
            return None
        total += tokens * rate / _MILLION
    return total


def reason_of(price: Price | None, model: str, variant: str | None) -> str | None:
    """Return why a model has no price in this variant, None where it has one."""
    if price is None:
        return f"no price is known for {model!r}"
    if price.rates(variant) is None:
        return f"no {variant or 'standard'} price is known for {model!r}"
    return None
