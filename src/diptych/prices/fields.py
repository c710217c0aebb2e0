"""Check the fields of a usage object and split its tokens into kinds of rate.

A field is a whole number of at least 0, missing or null; everything else raises
PriceError with the field's path. The parts of a prompt or an output never add up to more
than the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import permutations
from typing import Any, Final, NamedTuple

from ..errors import PriceError
from ..tokens.shapes import kind_of

#: A larger number is a fault of whoever reports it, not a number of tokens.
MOST_TOKENS: Final = 10**15

#: The rates of uncached and cached prompt tokens of each medium.
_MEDIA: Final = {
    "text": ("input", "cached"),
    "audio": ("input_audio", "cached_audio"),
    "image": ("input_image", "cached_image"),
}


class UsageReading(NamedTuple):
    """Tokens of a call: all of the prompt, all of the output, and how they split into kinds of rate.

    ``splits`` holds one mapping from the kind of rate to tokens; several where the usage does
    not tell which of the prompt's tokens (text, audio, images) were cached. ``variant`` is the
    tier that the usage itself reports. ``is_anthropic``: Anthropic's factors for the cache hold.
    """

    prompt: int
    output: int
    splits: tuple[dict[str, int], ...]
    variant: str | None = None
    is_anthropic: bool = False


# fields -------------------------------------------------------------------------------


def kind(value: Any) -> str:
    """Return what a value is instead of what was expected; the value itself stays out of errors."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "negative" if value < 0 else "not a whole number" if isinstance(value, float) else "too large"
    return kind_of(value)


def number(values: Mapping[str, Any], name: str, path: str = "$") -> int:
    """Return a number of tokens; a field that is missing or null is 0."""
    value = values.get(name)
    if value is None:
        return 0
    if type(value) is not int or not 0 <= value <= MOST_TOKENS:
        raise PriceError(f"{name} is {kind(value)}; expected a whole number of at least 0", path=f"{path}.{name}")
    return value


def inner(values: Mapping[str, Any], *names: str) -> tuple[Mapping[str, Any], str]:
    """Return the first of the named objects that is there, and its path."""
    for name in names:
        found = values.get(name)
        if found is not None and not isinstance(found, Mapping):
            raise PriceError(f"{name} is {kind(found)}, not an object", path=f"$.{name}")
        if found is not None:
            return found, f"$.{name}"
    return {}, f"$.{names[0]}"


def is_blank(value: Any, depth: int = 4) -> bool:
    """Say whether a field says nothing: null, 0, empty, or an object of such fields."""
    if isinstance(value, Mapping):
        return not value or (depth > 0 and all(is_blank(below, depth - 1) for below in value.values()))
    return value is None or (not isinstance(value, float | bool) and not value)


def refuse_unknown(values: Mapping[str, Any], known: Iterable[str], path: str = "$") -> None:
    """Raise PriceError on a field of tokens that no rule reads: it may be billed."""
    for name, value in values.items():
        if name not in known and isinstance(name, str) and "token" in name.lower() and not is_blank(value):
            raise PriceError(f"unknown field of a usage: {name[:60]!r}", path=path)


#: Fields that count what is billed per use, beside the tokens.
_FEES: Final = ("web_search_requests", "num_search_queries", "num_sources_used", "search_units", "prompt_audio_seconds")


def refuse_fees(usage: Mapping[str, Any]) -> None:
    """Raise PriceError where the call used something that has a fee of its own."""
    tools = usage.get("server_tool_use")
    for values in (usage, tools if isinstance(tools, Mapping) else {}):
        for name in _FEES:
            if not is_blank(values.get(name)):
                raise PriceError(f"{name} is billed beside the tokens, and its fee is unknown", path=f"$.{name}")


def agreed(name: str, *values: int) -> int:
    """Return the one number that several fields state, where they state any."""
    found = {value for value in values if value}
    if len(found) > 1:
        raise PriceError(f"the usage reports {name} twice, with different numbers", path="$")
    return found.pop() if found else 0


# prompts -----------------------------------------------------------------------------


def split_prompt(
    prompt: int, media: Mapping[str, int], cached: int, cached_media: Mapping[str, int] | None, writes: dict[str, int]
) -> list[dict[str, int]]:
    """Return the ways in which a prompt that includes its cached tokens may split."""
    text = prompt - sum(media.values()) - sum(writes.values())
    held = {"text": text, **media}
    if text < 0 or cached > sum(held.values()):
        raise PriceError(f"the parts of the prompt add up to more than its {prompt} tokens", path="$")
    if cached_media is not None:
        hits = [{"text": cached - sum(cached_media.values()), **cached_media}]
    else:
        hits = [_fill(cached, held, order) for order in permutations([name for name in held if held[name]])]
    if any(hit.get(name, 0) > held.get(name, 0) or hit[name] < 0 for hit in hits for name in hit):
        raise PriceError("more tokens of a kind were cached than the prompt has of it", path="$")
    return [_parts(held, hit) | writes for hit in hits]


def _fill(cached: int, held: Mapping[str, int], order: Iterable[str]) -> dict[str, int]:
    """Return how many cached tokens each medium holds where the cache fills them in this order."""
    found: dict[str, int] = {}
    for name in order:
        found[name] = min(cached, held[name])
        cached -= found[name]
    return found


def _parts(held: Mapping[str, int], hit: Mapping[str, int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, tokens in held.items():
        fresh, from_cache = _MEDIA[name]
        found |= {fresh: tokens - hit.get(name, 0), from_cache: hit.get(name, 0)}
    return found


def split_output(output: int, media: Mapping[str, int]) -> dict[str, int]:
    """Return the tokens of an output by kind of rate."""
    text = output - sum(media.values())
    if text < 0:
        raise PriceError(f"the parts of the output add up to more than its {output} tokens", path="$")
    return {"output": text, **{f"output_{name}": tokens for name, tokens in media.items()}}


def reading(
    prompt: int, output: int, prompts: list[dict[str, int]], outputs: dict[str, int], **more: Any
) -> UsageReading:
    """Return a reading; kinds without a token are left out."""
    splits = [{name: tokens for name, tokens in (one | outputs).items() if tokens} for one in prompts]
    return UsageReading(prompt, output, tuple(splits), **more)
