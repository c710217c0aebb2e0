"""How long replies are, from the lengths of earlier ones: what to expect of one, and of many together.

How it works: a reply is as long as one of the given lengths, each as likely, and no longer than its
cap. The sum of many lies between :data:`SHARE` of such sums: their mean and variance, and the
uncertainty of a mean that so many lengths show (Student's t). No form of the distribution is assumed;
tests/prices/test_lengths.py checks how often the sum lies there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final, TypeAlias

from ..errors import TokenError
from ..tokens.shapes import whole_number

#: From which share of the sums to which, in percent.
SHARE: Final = (10, 90)
#: The standard normal deviate of the upper share.
_DEVIATE: Final = 1.2815515655
#: Fewer lengths show no spread.
FEWEST: Final = 20
_MILLI: Final = Decimal("0.001")


#: Tokens that are expected in one reply where neither the caller nor the request says more.
EXPECTED_OUTPUT: Final = 256


class Lengths:
    """The output tokens of earlier replies.

    >>> Lengths.of([10, 20, 60]).expected(None), Lengths.of([10, 20, 60]).expected(30)
    (30, 20)
    """

    __slots__ = ("_known", "values")

    def __init__(self, values: tuple[int, ...]) -> None:
        self.values = values  #: in rising order
        self._known: dict[int | None, tuple[int | Decimal, float]] = {}

    @classmethod
    def of(cls, lengths: Iterable[Any]) -> Lengths:
        """Return the distribution of these lengths. Raises TokenError on none at all and on what is no length."""
        found = sorted(whole_number(length, "output") or 0 for length in lengths)
        if not found:
            raise TokenError("output has no length of a reply")
        return cls(tuple(found))

    def __reduce__(self) -> tuple[Any, ...]:
        return Lengths, (self.values,)

    def __repr__(self) -> str:
        shown = ", ".join(f"p{share}={self.percentile(share)}" for share in (10, 50, 90))
        return f"Lengths({len(self.values)} replies, {shown})"

    def expected(self, cap: int | None) -> int | Decimal:
        """Return the mean length under a cap, to a thousandth of a token."""
        return self._moments(cap)[0]

    def deviation(self, cap: int | None) -> float:
        """Return the standard deviation of the length under a cap; 0 where too few lengths show none."""
        return self._moments(cap)[1]

    def percentile(self, share: int, *, cap: int | None = None) -> int:
        """Return the length that so many percent of the replies do not exceed."""
        size = len(self.values)
        length = self.values[min(size, max(1, math.ceil(share * (size + 1) / 100))) - 1]
        return length if cap is None else min(length, cap)

    def between(self, times: int, *, cap: int | None) -> tuple[int, int] | None:
        """Return between which numbers of tokens 8 of 10 sums of so many replies lie, None where too few show it."""
        size = len(self.values)
        if size < FEWEST:
            return None
        if times == 1:
            return self.percentile(SHARE[0], cap=cap), self.percentile(SHARE[1], cap=cap)
        mean, deviation = self._moments(cap)
        half = half_width(times * deviation, times * deviation**2, size)
        least, most = (times * self.percentile(share, cap=cap) for share in (0, 100))
        return max(least, round(times * float(mean) - half)), min(most, round(times * float(mean) + half))

    def _moments(self, cap: int | None) -> tuple[int | Decimal, float]:
        if cap not in self._known:
            values = self.values if cap is None else [min(length, cap) for length in self.values]
            size, total = len(values), sum(values)
            squares = sum(length * length for length in values)
            variance = (squares - total * total / size) / (size - 1) if size >= FEWEST else 0.0
            mean = total // size if total % size == 0 else (Decimal(total) / size).quantize(_MILLI)
            self._known[cap] = mean, math.sqrt(max(0.0, variance))
        return self._known[cap]


#: What a caller expects of a reply: tokens, the lengths of earlier replies, or nothing.
Guess: TypeAlias = int | Lengths | None


def guess_of(output: int | Iterable[int] | Lengths | None) -> Guess:
    """Return what a caller expects. Raises TokenError on what is not a number of tokens."""
    if isinstance(output, list | tuple):
        return Lengths.of(output)
    return output if isinstance(output, Lengths) else whole_number(output, "output")


def expected_length(guess: Guess, most: int | None) -> int | Decimal:
    """Return the tokens expected in one reply that may have ``most``.

    >>> expected_length(None, 100), expected_length(5, 100), expected_length(Lengths.of([1, 2]), None)
    (100, 5, Decimal('1.500'))
    """
    if isinstance(guess, Lengths):
        return guess.expected(most)
    expected = EXPECTED_OUTPUT if guess is None else guess
    return expected if most is None else min(expected, most)


def half_width(deviations: float, squares: float, size: int) -> float:
    """Return how far from their expectation 8 of 10 sums lie at most.

    ``deviations`` is the sum of the standard deviations of the terms, ``squares`` that of their
    variances, ``size`` from how many lengths they are known.
    """
    freedom = max(1, size - 1)
    deviate = _DEVIATE + (_DEVIATE**3 + _DEVIATE) / (4 * freedom)
    return deviate * math.sqrt(squares + deviations**2 / size)
