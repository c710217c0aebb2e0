"""The tokens of an answer: where an API states them, and what of them the neutral usage says.

Rule: the neutral prompt holds what was read from a cache and written to one, the neutral completion
holds the reasoning. An API that states them beside the others is added up when it is read and taken
apart when it is written. What the server stated goes back as it was, with the counts that were changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ..model import thaw
from ..response import Usage
from .fields import dig, place
from .ledger import Ledger, leaves

#: The counts of the neutral usage that are part of another one.
PARTS: Final = {
    "cached_tokens": "prompt_tokens",
    "cache_write_tokens": "prompt_tokens",
    "reasoning_tokens": "completion_tokens",
}
NAMES: Final = ("prompt_tokens", "completion_tokens", *PARTS)


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts of an API: ``paths`` by neutral name, and those that stand ``beside`` the count they are part of.

    ``total`` is the path of the sum, where there is one; ``needs`` are counts that are always stated.

    >>> ANTHROPIC.read({"input_tokens": 3, "cache_read_input_tokens": 7, "output_tokens": 2}).prompt_tokens
    10
    """

    paths: Mapping[str, str]
    beside: frozenset[str] = frozenset()
    total: str = ""
    needs: frozenset[str] = frozenset()

    def path_of(self, name: str) -> str:
        """Return where the API states a count, "" where it does not."""
        return self.paths.get(name, "")

    def read(self, stated: Mapping[str, Any]) -> Usage:
        """Read what a server stated; a count that is not a number is none."""
        found: dict[str, Any] = {name: _whole(dig(stated, path)) for name, path in self.paths.items()}
        for name in self.beside:
            found[PARTS[name]] += found[name]
        return replace(Usage(server=thaw(stated)), **found)

    def write(self, usage: Usage, *, own: bool) -> dict[str, Any]:
        """Write the counts; ``own`` says that this API stated them, so that the rest of it stays."""
        values = {name: getattr(usage, name) for name in self.paths}
        for name in self.beside:
            values[PARTS[name]] -= values[name]
        is_stated = own and usage.server is not None
        before = self._values(usage.server or {}) if is_stated else {}
        wire: dict[str, Any] = thaw(usage.server) if is_stated else {}
        for name, path in self.paths.items():
            value = max(values[name], 0)
            always = not is_stated and (name not in PARTS or name in self.needs)
            if value != before.get(name, None if always else 0):
                place(wire, path, value)
        if self.total and (not is_stated or any(values[name] != before[name] for name in values)):
            place(wire, self.total, usage.total_tokens)
        return wire

    def _values(self, stated: Mapping[str, Any]) -> dict[str, int]:
        return {name: _whole(dig(stated, path)) for name, path in self.paths.items()}

    def report(self, usage: Usage, source: Counts, ledger: Ledger, path: str) -> None:
        """Report what these counts cannot say of a usage that another API stated."""
        known = {f"{path}.{source.paths[name]}" for name in source.paths if name in self.paths}
        known |= {f"{path}.{source.total}"} if source.total else set()
        for place_, value in leaves(usage.server or {}, path, source.paths.values()):
            if place_ not in known and value != 0:
                ledger.report(place_, "field-dropped")
        for whole in {PARTS[name] for name in self.beside}:
            parts = sum(getattr(usage, name) for name in self.beside if PARTS[name] == whole)
            if parts > getattr(usage, whole) and whole in source.paths:
                detail = f"it is less than its parts, which are {parts}"
                ledger.report(f"{path}.{source.paths[whole]}", "clamped", detail)


#: The largest count that is believed: no context holds more, and a float is exact up to here.
_MOST: Final = 2**53


def _whole(value: Any) -> int:
    """Return a count in any form that JSON has for a number (``3``, ``3.0``, ``3e0``), 0 for what is none.

    >>> _whole(3.0), _whole(2.5), _whole(True), _whole("3")
    (3, 0, 0, 0)
    """
    if type(value) not in (int, float) or not 0 < value <= _MOST:
        return 0
    return int(value) if value == int(value) else 0


CHAT: Final = Counts(
    {
        "prompt_tokens": "prompt_tokens",
        "completion_tokens": "completion_tokens",
        "cached_tokens": "prompt_tokens_details.cached_tokens",
        "cache_write_tokens": "prompt_tokens_details.cache_write_tokens",
        "reasoning_tokens": "completion_tokens_details.reasoning_tokens",
    },
    total="total_tokens",
)
RESPONSES: Final = Counts(
    {
        "prompt_tokens": "input_tokens",
        "completion_tokens": "output_tokens",
        "cached_tokens": "input_tokens_details.cached_tokens",
        "cache_write_tokens": "input_tokens_details.cache_write_tokens",
        "reasoning_tokens": "output_tokens_details.reasoning_tokens",
    },
    total="total_tokens",
    needs=frozenset(PARTS),
)
ANTHROPIC: Final = Counts(
    {
        "prompt_tokens": "input_tokens",
        "completion_tokens": "output_tokens",
        "cached_tokens": "cache_read_input_tokens",
        "cache_write_tokens": "cache_creation_input_tokens",
    },
    frozenset({"cached_tokens", "cache_write_tokens"}),
)
GEMINI: Final = Counts(
    {
        "prompt_tokens": "promptTokenCount",
        "completion_tokens": "candidatesTokenCount",
        "cached_tokens": "cachedContentTokenCount",
        "reasoning_tokens": "thoughtsTokenCount",
    },
    frozenset({"reasoning_tokens"}),
    total="totalTokenCount",
)
BEDROCK: Final = Counts(
    {
        "prompt_tokens": "inputTokens",
        "completion_tokens": "outputTokens",
        "cached_tokens": "cacheReadInputTokens",
        "cache_write_tokens": "cacheWriteInputTokens",
    },
    frozenset({"cached_tokens", "cache_write_tokens"}),
    total="totalTokens",
)
OLLAMA: Final = Counts({"prompt_tokens": "prompt_eval_count", "completion_tokens": "eval_count"})
