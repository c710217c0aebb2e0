"""A count under construction: one line a part, and how sure each is.

Rule: the lines add up to the count. A line is exact, fitted or approximate; only
approximate lines carry a range. The count is as sure as its least sure line.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Basis = Literal["exact", "fitted", "approximate", "unknown"]

#: From sure to unsure.
ORDER: Final[dict[str, int]] = {"exact": 0, "fitted": 1, "approximate": 2, "unknown": 3}


class Item(NamedTuple):
    """One line of a count: where in the request, what it is, how many tokens, how sure.

    ``kind`` is a key of :data:`diptych.tokens.rules.LINES`; ``low`` and ``high`` bracket
    an approximate line and are None otherwise.

    >>> Item("$.messages[0]", "message", 9).range
    (9, 9)
    """

    path: str
    kind: str
    tokens: int
    basis: Basis = "exact"
    low: int | None = None
    high: int | None = None

    @property
    def range(self) -> tuple[int, int]:
        """The least and the most tokens of the line."""
        return (self.tokens if self.low is None else self.low, self.tokens if self.high is None else self.high)


def weakest(items: list[Item]) -> Basis:
    """Return the basis of the least sure line, ``exact`` where there is none."""
    seen = {item[3] for item in items}
    return next(iter(seen)) if len(seen) == 1 else max(seen, key=ORDER.__getitem__, default="exact")
