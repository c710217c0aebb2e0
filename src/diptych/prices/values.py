"""The values of an estimate: tokens, money as a range, its lines, and how far it was off.

Rule: money is ``Decimal`` USD; as JSON it is text, so that no digit is lost.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple


def plain(amount: Decimal) -> str:
    """Return an amount without an exponent."""
    return format(amount, "f")


class Tokens(NamedTuple):
    """Output tokens of all choices: at least, expected, at most (None: nothing bounds them)."""

    low: int
    expected: int | Decimal
    high: int | None

    def to_json(self) -> dict[str, Any]:
        """Return the numbers as a JSON object; a mean of several lengths may have a fraction."""
        expected = self.expected if isinstance(self.expected, int) else float(self.expected)
        return {"low": self.low, "expected": expected, "high": self.high}


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
    tokens: int | Decimal
    rate: Decimal
    cost: Decimal
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the line as a JSON object; money is text, so that no digit is lost."""
        found: dict[str, Any] = {"kind": self.kind}
        found["tokens"] = self.tokens if isinstance(self.tokens, int) else float(self.tokens)
        found |= {"usd_per_million": plain(self.rate), "usd": plain(self.cost)}
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
        cost = None if self.cost is None else plain(self.cost)
        found = {"prompt": self.prompt, "output": self.output, "cost": cost, "is_within": self.is_within}
        return {**found, "reason": self.reason} if self.reason else found
