"""How sure a count is: what recordings of the real API show, and ranges for the rest.

Rule: a line is ``fitted`` only for a construct of an API and a family that at least 20 recordings
show, at least 98 % of them to the token; any other rule gives a range. A rule for text alone is
``exact``: it is right on every recording. tests/tokens/test_ground_truth.py prints and checks both.
"""

from __future__ import annotations

from typing import Final

from ..catalogue.models import ModelInfo
from .tally import Basis, Item, weakest

#: The kinds of line that may be called fitted, by API and family (recordings of 2023-2026).
FITTED: Final[dict[tuple[str, str], frozenset[str]]] = {
    ("chat", "chat"): frozenset({
        "tools", "tool_choice", "tool_call", "tool_calls", "tool_result", "tool_results",
        "schema", "schema_tag", "image",
    }),
    ("chat", "gpt5"): frozenset({"tools"}),
}  # fmt: skip

#: The widest miss of a rule that is not fitted: tokens, and hundredths of the line (recorded: -3 to +1 in a request).
_SLACK: Final = (2, 2)


def hedged(item: Item, api: str, family: str | None) -> Item:
    """Return a line with a range where recordings do not show its rule to hold.

    >>> hedged(Item("$.tools", "tools", 100, "fitted"), "chat", "o").range
    (96, 104)
    """
    if item.basis != "fitted" or item.kind in FITTED.get((api, family or "chat"), ()):
        return item
    slack = _SLACK[0] + item.tokens * _SLACK[1] // 100
    return item._replace(basis="approximate", low=max(0, item.tokens - slack), high=item.tokens + slack)


def settle(items: list[Item], info: ModelInfo, api: str) -> tuple[list[Item], Basis, int, int]:
    """Return the lines, how sure they are together, and the least and the most tokens."""
    if (spread := _spread(items, info)) is not None:
        tokens = sum(item.tokens for item in items)
        items = [*items, Item("$.model", "model", 0, "approximate", -min(spread, tokens), spread)]
    items = [hedged(item, api, info.family) for item in items]
    ranges = [item.range for item in items]
    return items, weakest(items), max(0, sum(low for low, _ in ranges)), sum(high for _, high in ranges)


def _spread(items: list[Item], info: ModelInfo) -> int | None:
    """Return what a model that no recording shows may bill more or less, None where one shows it."""
    tokens = sum(item.tokens for item in items)
    if not info.is_recorded and items and items[0].kind not in ("text", "ids"):
        return round(tokens * 0.05) + len(items) + 2
    return round(tokens * 0.3) + 1 if not info.known and items else None
