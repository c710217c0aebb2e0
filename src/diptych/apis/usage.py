"""Usages of every API: one table per API says where its numbers stand.

Rule: the neutral prompt includes what was read from and written to a cache, and the neutral
completion includes reasoning; ``apart`` names the numbers that an API states beside these instead.
A usage keeps the object that the server stated, and its own API gives it back with the counts that
were changed since. Sources: the API references of OpenAI, Anthropic, Google, AWS and Ollama (2026-11).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..model import thaw
from ..response import COUNTS, Usage
from .fields import dig, place, subtract
from .ledger import leaves


@dataclass(frozen=True)
class Counts:
    """Where a usage states its numbers, by their neutral names.

    ``at`` is the place of the usage in a body ("": its numbers are fields of the body). ``needs``
    names what is written although it is 0, and ``total`` the place of the sum.
    """

    fields: Mapping[str, str]
    at: str = "usage"
    total: str = ""
    needs: tuple[str, ...] = ("prompt_tokens", "completion_tokens")
    apart: Mapping[str, str] = field(default_factory=dict)


_BEFORE: Final = {"cached_tokens": "prompt_tokens", "cache_write_tokens": "prompt_tokens"}
_CHAT: Final = Counts(
    {
        "prompt_tokens": "prompt_tokens",
        "completion_tokens": "completion_tokens",
        "cached_tokens": "prompt_tokens_details.cached_tokens",
        "cache_write_tokens": "prompt_tokens_details.cache_write_tokens",
        "prompt_audio_tokens": "prompt_tokens_details.audio_tokens",
        "reasoning_tokens": "completion_tokens_details.reasoning_tokens",
        "completion_audio_tokens": "completion_tokens_details.audio_tokens",
    },
    total="total_tokens",
)
TABLES: Final[Mapping[str, Counts]] = {
    "chat": _CHAT,
    "completions": _CHAT,
    "responses": Counts(
        {
            "prompt_tokens": "input_tokens",
            "completion_tokens": "output_tokens",
            "cached_tokens": "input_tokens_details.cached_tokens",
            "cache_write_tokens": "input_tokens_details.cache_write_tokens",
            "reasoning_tokens": "output_tokens_details.reasoning_tokens",
        },
        total="total_tokens",
        needs=("prompt_tokens", "completion_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens"),
    ),
    "anthropic": Counts(
        {
            "prompt_tokens": "input_tokens",
            "completion_tokens": "output_tokens",
            "cached_tokens": "cache_read_input_tokens",
            "cache_write_tokens": "cache_creation_input_tokens",
            "reasoning_tokens": "output_tokens_details.thinking_tokens",
        },
        apart=_BEFORE,
    ),
    "gemini": Counts(
        {
            "prompt_tokens": "promptTokenCount",
            "completion_tokens": "candidatesTokenCount",
            "cached_tokens": "cachedContentTokenCount",
            "reasoning_tokens": "thoughtsTokenCount",
        },
        at="usageMetadata",
        total="totalTokenCount",
        apart={"reasoning_tokens": "completion_tokens"},
    ),
    "bedrock": Counts(
        {
            "prompt_tokens": "inputTokens",
            "completion_tokens": "outputTokens",
            "cached_tokens": "cacheReadInputTokens",
            "cache_write_tokens": "cacheWriteInputTokens",
        },
        total="totalTokens",
        apart=_BEFORE,
    ),
    "ollama": Counts({"prompt_tokens": "prompt_eval_count", "completion_tokens": "eval_count"}, at=""),
}


def read_usage(value: Mapping[str, Any], api: str = "chat") -> Usage:
    """Read the usage of a body.

    >>> read_usage({"input_tokens": 3, "output_tokens": 2, "cache_read_input_tokens": 9}, "anthropic").prompt_tokens
    12
    """
    counts: dict[str, Any] = _counts(TABLES[api], value)
    return Usage(**counts, server=value if type(value) is dict else thaw(value), api=api)


def _counts(table: Counts, value: Mapping[str, Any]) -> dict[str, int]:
    found = {name: _whole(dig(value, path)) for name, path in table.fields.items()}
    for name, whole in table.apart.items():
        found[whole] += found[name]
    return found


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def write_usage(usage: Usage, api: str = "chat") -> dict[str, Any]:
    """Return the usage of a body: as the server stated it, with the counts that were changed since.

    >>> write_usage(Usage(12, 2, cached_tokens=9), "anthropic")
    {'input_tokens': 3, 'output_tokens': 2, 'cache_read_input_tokens': 9}
    """
    table, counts = TABLES[api], {name: getattr(usage, name) for name in COUNTS}
    if usage.server is not None and TABLES[usage.api] is table:
        stated: dict[str, int] = dict.fromkeys(COUNTS, 0) | _counts(table, usage.server)
        wire: dict[str, Any] = thaw(usage.server) if type(usage.server) is not dict else dict(usage.server)
        if counts == stated:
            return wire
        changed = {name for name in COUNTS if counts[name] != stated[name]}
        changed |= {table.apart[name] for name in changed & table.apart.keys()}
    else:
        wire, changed = {}, {*table.needs, *(name for name in COUNTS if counts[name])}
    for name in table.fields:
        if name in changed:
            beside = sum(counts[part] for part, whole in table.apart.items() if whole == name)
            place(wire, table.fields[name], max(counts[name] - beside, 0))
    if table.total and changed:
        wire[table.total] = usage.total_tokens
    return wire


def not_written(usage: Usage, api: str) -> Iterator[str]:
    """Yield the path, in the source's body, of every number that another API has no place for."""
    source, target = TABLES[usage.api], TABLES[api]
    if source is target:
        return
    prefix = f"$.{source.at}" if source.at else "$"
    for name, path in source.fields.items():
        if name not in target.fields and getattr(usage, name):
            yield f"{prefix}.{path}"
    written: dict[str, Any] = {}
    for path in (*source.fields.values(), *filter(None, [source.total])):
        if (found := dig(usage.server, path)) is not None and isinstance(found, int):
            place(written, path, found)
    rest = subtract(dict(usage.server or {}), written)
    if isinstance(rest, Mapping) and source.at:
        yield from (path for path, leaf in leaves(rest, prefix) if leaf not in (0, False))


def sum_usage(usages: list[Usage]) -> Usage | None:
    """Return what several usages make, the only one as it is."""
    if len(usages) < 2:
        return usages[0] if usages else None
    totals = {name: sum(getattr(usage, name) for usage in usages) for name in COUNTS[:2]}
    return Usage(**totals, source=usages[0].source)
