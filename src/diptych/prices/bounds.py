"""What a request may use: the bounds of its output, and its tokens by kind of rate.

Rule: ``low`` is a prompt that is cached as far as it can be and a reply that stops at once; ``high``
is a prompt of which nothing is cached, written to the cache where that is dearer, and the longest
reply. Expected stands between the two, always.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from ..errors import TokenError
from ..tokens import TokenCount
from ..tokens.shapes import expect, whole_number
from .book import PriceBook, default
from .lengths import Guess, Lengths, expected_length
from .price import Price
from .rates import Rates
from .usage import price_parts, variant_of
from .values import Cost, Line, Tokens

#: The Completions API writes at most this many tokens where no cap is given (API reference, 2026-11).
COMPLETIONS_CAP: Final = 16
#: Prompts are cached from here on, in steps (OpenAI, "Prompt caching", 2024-10; recorded hits agree).
CACHE_FROM: Final = 1024
CACHE_STEP: Final = 128

#: Where the APIs have the cap of the output, and the number of replies: the first that is stated holds.
_CAPS: Final = tuple(tuple(path.split(".")) for path in (
    "max_completion_tokens", "max_output_tokens", "max_tokens", "generationConfig.maxOutputTokens",
    "inferenceConfig.maxTokens", "options.num_predict",
))  # fmt: skip
_CHOICES: Final = (("n",), ("best_of",), ("generationConfig", "candidateCount"))


def _stated(body: Mapping[str, Any], paths: tuple[tuple[str, ...], ...], least: int) -> Iterator[int]:
    """Yield the numbers that stand at these places."""
    for path in paths:
        value: Any = body.get(path[0])
        for key in path[1:]:
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is not None and (number := whole_number(value, f"$.{'.'.join(path)}", least=least)) is not None:
            yield number


def output_cap(body: Mapping[str, Any]) -> int | None:
    """Return the most tokens of one reply that a request of any API states, or that its API has by default.

    >>> output_cap({"input": "Hi", "max_output_tokens": 50}), output_cap({"input": "Hi"})
    (50, None)
    """
    cap = next(_stated(body, _CAPS, 0), None)
    if cap is not None:
        return cap
    # A bare text is a prompt to be priced, not a Completions body with its default of 16.
    return COMPLETIONS_CAP if "prompt" in body and "model" in body else None


def choices(body: Mapping[str, Any]) -> int:
    """Return how many replies are billed: ``best_of`` (Completions) or ``n``, for each prompt."""
    times = max(_stated(body, _CHOICES, 1), default=1)
    prompts = body.get("prompt")
    if isinstance(prompts, list | tuple) and prompts and not isinstance(prompts[0], int):
        return times * len(prompts)
    return times


def tier(body: Mapping[str, Any]) -> str | None:
    """Return the service tier that a request asks for."""
    if body.get("service_tier") is None:
        return None
    expect(body["service_tier"], (str,), "$.service_tier", "a string")
    return str(body["service_tier"])


def output_kind(body: Mapping[str, Any]) -> str:
    """Return the rate that a reply pays: a spoken one pays for audio."""
    modalities = body.get("modalities")
    return "output_audio" if isinstance(modalities, list | tuple) and "audio" in modalities else "output"


def output_bounds(body: Mapping[str, Any], price: Price | None, guess: Guess, prompt: TokenCount) -> Tokens:
    """Return the tokens of all replies: a model without an output rate, as for embeddings, writes none."""
    if price is not None and (rates := price.rates()) is not None and not rates.writes:
        return Tokens(0, 0, 0)
    times, cap = choices(body), output_cap(body)
    bounds = [cap, price.max_output if price else None]
    if price and price.context_window and prompt.low is not None and price.max_output is None:
        bounds.append(max(0, price.context_window - prompt.low))
    stated = [bound for bound in bounds if bound is not None]
    most = min(stated) if stated else None
    return Tokens(0, expected_length(guess, most) * times, None if most is None else most * times)


def headroom(prompt: TokenCount, price: Price | None, body: Mapping[str, Any], guess: Guess) -> int | None:
    """Return the tokens that are left beside the prompt and its reserved output, None where unknown."""
    if price is None or price.context_window is None or prompt.high is None:
        return None
    cap = output_cap(body)
    wanted = guess.values[-1] if isinstance(guess, Lengths) else guess
    reserved = wanted if cap is None else cap
    room = price.context_window - prompt.high - (reserved or 0)
    return room if price.input_limit is None else min(room, price.input_limit - prompt.high)


def check_cached(cached: int | None, prompt: TokenCount) -> int | None:
    """Return the number of cached tokens. Raises TokenError on more than the prompt can have."""
    number = whole_number(cached, "cached")
    if number is not None and prompt.high is not None and number > prompt.high:
        raise TokenError(f"cached is {number}, but the prompt has {prompt.high} tokens")
    return number


def worst_cost(
    prompt: TokenCount, *, output: int, body: Mapping[str, Any], model: str, book: PriceBook | None = None
) -> Decimal | None:
    """Return the most USD that a request may cost in the tier that it asks for, None where it has no price.

    ``output`` is the most tokens that all replies may have. Nothing is cached, and a prompt that the
    vendor writes to its cache pays for that.

    >>> from diptych.tokens import count
    >>> worst_cost(count("Hi", "gpt-5.4-mini"), output=100, body={"service_tier": "flex"}, model="gpt-5.4-mini")
    Decimal('0.000225375')
    """
    price = (default() if book is None else book).find(model)
    rates = price.dearest(variant_of(tier(body), batch=False)) if price else None
    if rates is None or prompt.high is None:
        return None
    parts = _at_most(prompt, rates, fresh_kind(body, rates, prompt.high))
    reply = {output_kind(body): output} if rates.writes else {}
    return price_parts({**parts, **reply}, rates)


# cost ---------------------------------------------------------------------------------


def fresh_kind(body: Mapping[str, Any], rates: Rates, prompt: int) -> str:
    """Return the rate of prompt tokens that are not cached: a vendor may bill writing them to its cache.

    OpenAI caches by itself where a price has a rate for it; others where the request marks a breakpoint.
    """
    if not rates.has("cache_write"):
        return "input"
    if rates.caches_alone:
        return "cache_write" if prompt >= CACHE_FROM else "input"
    marks = [mark for value in body.values() for mark in _breakpoints(value)]
    long = any(mark.get("ttl") == "1h" for mark in marks)
    return ("cache_write_1h" if long else "cache_write") if marks else "input"


def _breakpoints(value: Any, depth: int = 8) -> list[Mapping[str, Any]]:
    if isinstance(value, Mapping) and depth:
        own = [value[name] for name in ("cache_control", "cachePoint") if isinstance(value.get(name), Mapping)]
        return own + [mark for inner in value.values() for mark in _breakpoints(inner, depth - 1)]
    if isinstance(value, list | tuple) and depth:
        return [mark for inner in value for mark in _breakpoints(inner, depth - 1)]
    return []


def cost_of(
    prompt: TokenCount,
    reply: Tokens,
    cached: int | None,
    rates: Rates,
    body: Mapping[str, Any],
    *,
    lowest: Rates,
    highest: Rates,
) -> tuple[Cost | None, tuple[Line, ...]]:
    """Return the cost and the lines of the expected one, None where a kind of token has no rate.

    ``lowest`` are the rates of the hours in which the model costs least, ``highest`` those of the dearest hours
    and of changes that are announced.
    """
    if prompt.tokens is None or prompt.low is None or prompt.high is None:
        return None, ()
    kind, fresh = output_kind(body), fresh_kind(body, rates, prompt.high)
    lines = _lines({**_by_medium(prompt, rates, fresh, min(prompt.tokens, cached or 0)), kind: reply.expected}, rates)
    hit = _cacheable(prompt.low, cached)
    low = price_parts({"input": prompt.low - hit, "cached": hit, "output": reply.low}, lowest)
    most = None
    if reply.high is not None:
        fresh = fresh_kind(body, highest, prompt.high)
        most = price_parts({**_at_most(prompt, highest, fresh), kind: reply.high}, highest)
    if low is None or lines is None:
        return None, ()
    expected = sum((line.cost for line in lines), Decimal(0))
    return Cost(min(low, expected), expected, None if most is None else max(most, expected)), lines


def _cacheable(prompt: int, cached: int | None) -> int:
    """Return the most tokens that the cache can hold: whole steps from the least prompt on."""
    if cached is not None:
        return min(prompt, cached)
    return prompt // CACHE_STEP * CACHE_STEP if prompt >= CACHE_FROM else 0


def _media(prompt: TokenCount, rates: Rates, at: int | None) -> dict[str, int]:
    """Return the tokens of audio and images: audio always has a rate of its own, images on some models."""
    sizes = {"audio": 0, "image": 0}
    for item in prompt.items:
        if item.kind in sizes:
            sizes[item.kind] += item.tokens if at is None else item.range[at]
    return {"input_audio": sizes["audio"], "input_image": sizes["image"] if rates.has("input_image") else 0}


def _by_medium(prompt: TokenCount, rates: Rates, fresh: str, cached: int) -> dict[str, int]:
    media = _media(prompt, rates, None)
    return {fresh: max(0, (prompt.tokens or 0) - cached - sum(media.values())), "cached": cached, **media}


def _at_most(prompt: TokenCount, rates: Rates, fresh: str) -> dict[str, int]:
    media, high = _media(prompt, rates, 1), prompt.high or 0
    return {fresh: max(0, high - sum(media.values())), **media}


def _lines(parts: Mapping[str, int | Decimal], rates: Rates) -> tuple[Line, ...] | None:
    prompt = sum(int(tokens) for name, tokens in parts.items() if not name.startswith("output"))
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
