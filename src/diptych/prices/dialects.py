"""Read the usage object of any API into disjoint numbers of tokens, one per kind of rate.

How it works: the names of the fields tell whose usage it is, and each API is read by its
own rule: whether the cached tokens are part of the prompt's, and whether reasoning is part
of the output's. A usage with unknown fields, with numbers that contradict each other, or
with something other than whole numbers raises PriceError. Nothing unknown is read as 0.

Sources: the API references of OpenAI, Anthropic, Google, AWS, xAI, DeepSeek and Ollama (2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from ..errors import PriceError
from .fields import (
    UsageReading,
    agreed,
    inner,
    is_blank,
    kind,
    number,
    reading,
    refuse_fees,
    refuse_unknown,
    split_output,
    split_prompt,
)


def read_usage(usage: Any) -> UsageReading:
    """Return what a usage object of any known API says.

    Raises PriceError, whose ``path`` names the field, on what is not understood.

    >>> read_usage({"promptTokenCount": 9, "candidatesTokenCount": 2, "thoughtsTokenCount": 40}).output
    42
    """
    if not isinstance(usage, Mapping):
        raise PriceError(f"the usage is {kind(usage)}, not an object", path="$")
    present = [dialect for dialect in _DIALECTS if any(usage.get(name) is not None for name in dialect.heads)]
    if not present:
        names = ", ".join(sorted(str(name)[:40] for name in usage)[:5]) or "no field"
        raise PriceError(f"the usage has none of the known token fields (found: {names})", path="$")
    # Some proxies fill in the fields of a second API with zeros.
    stated = [one for one in present if not all(is_blank(usage.get(name)) for name in one.heads)] or present
    if len(stated) > 1 and len({dialect.numbers(usage) for dialect in stated}) > 1:
        raise PriceError("the usage has the fields of two APIs, with different numbers", path="$")
    refuse_unknown(usage, frozenset().union(*(dialect.fields for dialect in present)))
    refuse_fees(usage)
    return stated[0].read(usage)


# OpenAI, and everything that answers as OpenAI does ----------------------------------

_BEFORE: Final = ("prompt_tokens_details", "input_tokens_details", "input_token_details", "prompt_token_details")
_AFTER: Final = ("completion_tokens_details", "output_tokens_details", "output_token_details")
_BEFORE_FIELDS: Final = (
    "cached_tokens", "cached_tokens_details", "text_tokens", "audio_tokens", "image_tokens", "video_tokens",
    "cache_write_tokens", "cache_creation_tokens", "cache_creation_token_details",
)  # fmt: skip
_AFTER_FIELDS: Final = (
    "reasoning_tokens", "text_tokens", "audio_tokens", "image_tokens",
    "accepted_prediction_tokens", "rejected_prediction_tokens",
)  # fmt: skip
_OPENAI_FIELDS: Final = (
    "total_tokens", "cached_tokens", "reasoning_tokens", "prompt_cache_hit_tokens", "prompt_cache_miss_tokens",
    "cache_read_input_tokens", "cache_creation_input_tokens", *_BEFORE, *_AFTER,
)  # fmt: skip
_TTLS: Final = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")


def _details(usage: Mapping[str, Any], names: tuple[str, ...], known: tuple[str, ...]) -> tuple[Mapping[str, Any], str]:
    found, path = inner(usage, *names)
    refuse_unknown(found, known, path)
    for name in found:
        if name in known and not name.endswith("details"):
            number(found, name, path)
    return found, path


def _media_of(values: Mapping[str, Any]) -> dict[str, int]:
    """Return the tokens that are not text; video is billed as images are."""
    found = {"audio": number(values, "audio_tokens")}
    found["image"] = number(values, "image_tokens") + number(values, "video_tokens")
    return {name: tokens for name, tokens in found.items() if tokens}


def _cached_media(before: Mapping[str, Any]) -> dict[str, int] | None:
    if before.get("cached_tokens_details") is None:
        return None
    found, path = inner(before, "cached_tokens_details")
    refuse_unknown(found, _BEFORE_FIELDS, path)
    return _media_of(found)


def _writes(before: Mapping[str, Any]) -> dict[str, int]:
    written = agreed("cache writes", number(before, "cache_write_tokens"), number(before, "cache_creation_tokens"))
    return _by_ttl(written, *inner(before, "cache_creation_token_details"))


def _by_ttl(written: int, detail: Mapping[str, Any], path: str) -> dict[str, int]:
    """Return the tokens written to the cache for five minutes and for an hour."""
    refuse_unknown(detail, _TTLS, path)
    short, long = (number(detail, name, path) for name in _TTLS)
    if written and short + long and written != short + long:
        raise PriceError("the cache writes do not add up", path=path)
    return {"cache_write": short or (0 if long else written), "cache_write_1h": long}


def _read_openai(usage: Mapping[str, Any], prompt: int, output: int) -> UsageReading:
    before, path = _details(usage, _BEFORE, _BEFORE_FIELDS)
    after, _ = _details(usage, _AFTER, _AFTER_FIELDS)
    cached = agreed(
        "cached tokens", *(number(usage, name) for name in ("cached_tokens", "prompt_cache_hit_tokens")),
        number(before, "cached_tokens", path),
    )  # fmt: skip
    missed = number(usage, "prompt_cache_miss_tokens")
    if missed and missed + cached != prompt:
        raise PriceError(f"cached and missed tokens are not the {prompt} of the prompt", path="$")
    prompts = split_prompt(prompt, _media_of(before), cached, _cached_media(before), _writes(before))
    reasoning = agreed("reasoning", number(usage, "reasoning_tokens"), number(after, "reasoning_tokens"))
    output = _with_reasoning(number(usage, "total_tokens"), prompt, output, reasoning)
    return reading(prompt, output, prompts, split_output(output, _media_of(after)), variant=_tier(usage))


def _with_reasoning(total: int, prompt: int, output: int, reasoning: int) -> int:
    """Return the tokens of the output: reasoning is a part of them, or stands beside them (xAI).

    The total tells which; without one, a part cannot be greater than the whole.
    """
    if total == prompt + output or (not total and reasoning <= output):
        if reasoning > output:
            raise PriceError(f"{reasoning} reasoning tokens are more than the {output} of the output", path="$")
        return output
    if not total or total == prompt + output + reasoning:
        return output + reasoning
    raise PriceError(f"total_tokens is {total}, but {prompt} + {output} are reported", path="$.total_tokens")


def _read_chat(usage: Mapping[str, Any]) -> UsageReading:
    before, _ = inner(usage, *_BEFORE)
    for name, told in (
        ("cache_read_input_tokens", ("cached_tokens",)),
        ("cache_creation_input_tokens", ("cache_write_tokens", "cache_creation_tokens")),
    ):
        beside = number(usage, name)
        # LiteLLM repeats Anthropic's fields; some of its versions left them out of prompt_tokens.
        if beside and beside not in [before.get(field) for field in told]:
            raise PriceError(f"cannot determine whether prompt_tokens include {name}", path=f"$.{name}")
    return _read_openai(usage, number(usage, "prompt_tokens"), number(usage, "completion_tokens"))


# Anthropic and Responses, which share two names --------------------------------------

_CACHES: Final = ("cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation")
#: Anthropic's names, and Bedrock's in snake case, for fresh, output and cached tokens.
_EXCLUSIVE: Final = ("input_tokens", "output_tokens", "cache_read_input_tokens")
_GEOS: Final = (None, "", "global", "not_available")


def _read_input_output(usage: Mapping[str, Any]) -> UsageReading:
    is_anthropic = any(not is_blank(usage.get(name)) for name in _CACHES)
    if not is_anthropic:
        return _read_openai(usage, number(usage, "input_tokens"), number(usage, "output_tokens"))
    before, _ = inner(usage, *_BEFORE)
    if not (is_blank(before) and is_blank(usage.get("cached_tokens"))):
        raise PriceError("cannot determine whether input_tokens include the cached tokens", path="$.input_tokens")
    written = number(usage, "cache_creation_input_tokens")
    writes = _by_ttl(written, *inner(usage, "cache_creation"))
    return _read_exclusive(usage, _EXCLUSIVE, writes, is_anthropic=True)


def _read_exclusive(
    usage: Mapping[str, Any], names: tuple[str, str, str], writes: dict[str, int], *, is_anthropic: bool
) -> UsageReading:
    """Read a usage whose input tokens leave out those that the cache was read or written for."""
    fresh, output, cached = (number(usage, name) for name in names)
    prompt = fresh + cached + sum(writes.values())
    if number(usage, "total_tokens") not in (0, fresh + output, prompt + output):
        raise PriceError("total_tokens does not fit the other numbers", path="$.total_tokens")
    parts = {"input": fresh, "cached": cached, **writes}
    return reading(prompt, output, [parts], {"output": output}, variant=_tier(usage), is_anthropic=is_anthropic)


def _tier(usage: Mapping[str, Any]) -> str | None:
    """Return the tier that Anthropic's usage reports. Raises PriceError where its price is unknown."""
    if usage.get("inference_geo") not in _GEOS:
        raise PriceError("the price of inference in one region is unknown", path="$.inference_geo")
    rounds = usage.get("iterations")
    if isinstance(rounds, list | tuple) and len(rounds) > 1:
        raise PriceError("the usage leaves out some of its iterations", path="$.iterations")
    for name in ("speed", "service_tier"):
        found = usage.get(name)
        if found is not None and not isinstance(found, str):
            raise PriceError(f"{name} is {kind(found)}, not a string", path=f"$.{name}")
        if found not in (None, "", "standard", "default", "auto"):
            return found
    return None


# Gemini, Bedrock, Ollama -------------------------------------------------------------

_TRAFFIC: Final = {None: None, "": None, "TRAFFIC_TYPE_UNSPECIFIED": None, "ON_DEMAND": None} | {
    "ON_DEMAND_PRIORITY": "priority",
    "ON_DEMAND_FLEX": "flex",
}
_MODALITIES: Final = {"TEXT": "text", "DOCUMENT": "text", "AUDIO": "audio", "IMAGE": "image", "VIDEO": "image"}


@lru_cache(maxsize=256)
def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _snaked(usage: Mapping[str, Any]) -> dict[str, Any]:
    return {_snake(name): value for name, value in usage.items() if isinstance(name, str) and value is not None}


def _modalities(usage: Mapping[str, Any], *names: str) -> dict[str, int] | None:
    """Return the tokens of each medium but text, None where the usage does not list them."""
    lists = [(name, usage[name]) for name in names if usage.get(name)]
    found: dict[str, int] = {}
    for name, rows in lists:
        for index, row in enumerate(rows if isinstance(rows, list | tuple) else [rows]):
            path = f"$.{name}[{index}]"
            row = _snaked(row) if isinstance(row, Mapping) else {}
            medium = _MODALITIES.get(str(row.get("modality")).rpartition(".")[2])
            if medium is None:
                raise PriceError("unknown modality of tokens", path=path)
            found[medium] = found.get(medium, 0) + number(row, "token_count", path)
    found.pop("text", None)
    return {name: tokens for name, tokens in found.items() if tokens} if lists else None


def _read_gemini(usage: Mapping[str, Any]) -> UsageReading:
    usage = _snaked(usage)
    if isinstance(usage.get("traffic_type"), Mapping | list) or usage.get("traffic_type") not in _TRAFFIC:
        raise PriceError("the price of this kind of traffic is unknown", path="$.traffic_type")
    tool = number(usage, "tool_use_prompt_token_count")
    prompt = number(usage, "prompt_token_count") + tool
    written = agreed("output", *(number(usage, f"{name}_token_count") for name in ("candidates", "response")))
    thoughts, total = number(usage, "thoughts_token_count"), number(usage, "total_token_count")
    # Thoughts stand beside the candidates; where the total leaves them out, they are in them.
    inside = bool(thoughts) and thoughts <= written and total == prompt + written
    output = written if inside else written + thoughts
    if total and total != prompt + output:
        raise PriceError(f"total_token_count is {total}, but {prompt} + {output} are reported", path="$")
    media = _modalities(usage, "prompt_tokens_details", "tool_use_prompt_tokens_details") or {}
    cached_media = _modalities(usage, "cache_tokens_details")
    cached = number(usage, "cached_content_token_count")
    prompts = split_prompt(prompt, media, cached, cached_media, {})
    after = _modalities(usage, "candidates_tokens_details", "response_tokens_details") or {}
    return reading(prompt, output, prompts, split_output(output, after), variant=_TRAFFIC[usage.get("traffic_type")])


def _read_bedrock(usage: Mapping[str, Any]) -> UsageReading:
    # The metrics of an invocation say inputTokenCount for the inputTokens of a conversation.
    usage = {name.replace("_token_count", "_tokens"): value for name, value in _snaked(usage).items()}
    found: dict[str, int] = {}
    details = usage.get("cache_details")
    for index, row in enumerate(details if isinstance(details, list | tuple) else []):
        row, path = (_snaked(row), f"$.cacheDetails[{index}]") if isinstance(row, Mapping) else ({}, "$.cacheDetails")
        if row.get("ttl") not in ("5m", "1h"):
            raise PriceError("unknown time to live of cached tokens", path=path)
        name = f"ephemeral_{row['ttl']}_input_tokens"
        found[name] = found.get(name, 0) + number(row, "input_tokens", path)
    writes = _by_ttl(number(usage, "cache_write_input_tokens"), found, "$.cacheDetails")
    return _read_exclusive(usage, _EXCLUSIVE, writes, is_anthropic=False)


def _read_ollama(usage: Mapping[str, Any]) -> UsageReading:
    prompt, output = number(usage, "prompt_eval_count"), number(usage, "eval_count")
    return reading(prompt, output, [{"input": prompt}], {"output": output})


# which is which ----------------------------------------------------------------------


class _Dialect(NamedTuple):
    """One way to report a usage: its two main numbers, its further fields and its reader."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    more: tuple[str, ...]
    reader: Callable[[Mapping[str, Any]], UsageReading]

    @property
    def heads(self) -> tuple[str, ...]:
        return self.before + self.after

    @property
    def fields(self) -> frozenset[str]:
        return _fields(self)

    def numbers(self, usage: Mapping[str, Any]) -> tuple[int, int]:
        """Return the two main numbers as they are stated."""
        before, after = (sum(number(usage, name) for name in names) for names in (self.before, self.after))
        return before, after

    def read(self, usage: Mapping[str, Any]) -> UsageReading:
        if all(usage.get(name) is None for name in self.before):
            raise PriceError("the usage does not report the tokens of the prompt", path="$")
        if all(usage.get(name) is None for name in self.after) and not any(
            usage.get(name) for name in self.more if name.startswith("total")
        ):
            # Embeddings have no output: there the total says that nothing is missing.
            raise PriceError("the usage does not report the tokens of the output", path="$")
        return self.reader(usage)


@lru_cache(maxsize=16)
def _fields(dialect: _Dialect) -> frozenset[str]:
    return frozenset((*dialect.heads, *dialect.more))


def _both(*names: str) -> tuple[str, ...]:
    """Return names in camel case and in snake case: SDKs write the fields of an API in either."""
    return tuple(dict.fromkeys([*names, *map(_snake, names)]))


_DIALECTS: Final = (
    _Dialect(("prompt_tokens",), ("completion_tokens",), _OPENAI_FIELDS, _read_chat),
    _Dialect(("input_tokens",), ("output_tokens",), (*_OPENAI_FIELDS, *_CACHES), _read_input_output),
    _Dialect(
        _both("promptTokenCount"),
        _both("candidatesTokenCount", "responseTokenCount"),
        _both(
            "totalTokenCount", "thoughtsTokenCount", "cachedContentTokenCount", "toolUsePromptTokenCount",
            "promptTokensDetails", "cacheTokensDetails", "candidatesTokensDetails", "responseTokensDetails",
            "toolUsePromptTokensDetails",
        ),
        _read_gemini,
    ),
    _Dialect(
        ("inputTokens", "inputTokenCount"),
        ("outputTokens", "outputTokenCount"),
        (
            "totalTokens", "cacheReadInputTokens", "cacheWriteInputTokens",
            "cacheReadInputTokenCount", "cacheWriteInputTokenCount",
        ),
        _read_bedrock,
    ),
    _Dialect(("prompt_eval_count",), ("eval_count",), (), _read_ollama),
)  # fmt: skip
