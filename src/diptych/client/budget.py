"""A budget that holds: the worst case is reserved before a call is sent.

Rule: spent + reserved never goes over the limit, whatever threads and tasks do.
A reservation is settled exactly once: with what was used, with nothing, or, where
nobody knows whether the server did the work, with all that was reserved.
"""

from __future__ import annotations

import threading
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from ..errors import BudgetExceeded, FormatError


class Reservation:
    """Money (USD) and tokens held for one attempt; settle it once, later calls do nothing."""

    __slots__ = ("_budget", "_open", "tokens", "usd")

    def __init__(self, budget: Budget, usd: Decimal, tokens: int) -> None:
        self._budget, self.usd, self.tokens = budget, usd, tokens
        self._open = True

    def settle(self, usd: Decimal | None, tokens: int | None) -> None:
        """Replace what was reserved by what was used; None keeps it all as possibly billed."""
        self._budget._settle(self, usd, tokens)

    def release(self) -> None:
        """Give everything back: nothing was sent."""
        self.settle(Decimal(0), 0)


def _amount(usd: Decimal | float | str) -> Decimal:
    try:
        # A float is meant as it is printed: 0.1 is a dime, not its binary neighbour.
        found = Decimal(str(usd))
        if found >= 0:
            return found
    except InvalidOperation:  # no number, or not a number
        pass
    raise FormatError(f"a budget of {str(usd)!r} USD: expected a number that is not negative")


class Budget:
    """A limit on money (``usd``) and tokens, shared by clients, threads and tasks.

    ``possibly_billed`` counts what was kept for calls whose outcome nobody knows;
    it is part of what is spent. Raises FormatError for a limit that is negative or not a number.

    >>> budget = Budget(usd="0.01")
    >>> budget.reserve(usd=Decimal("0.004"), tokens=100).settle(Decimal("0.001"), 20)
    >>> budget.spent_usd, budget.reserved_usd
    (Decimal('0.001'), Decimal('0.000'))
    """

    def __init__(self, usd: Decimal | float | str | None = None, *, tokens: int | None = None) -> None:
        self.usd = None if usd is None else _amount(usd)
        self.tokens = tokens
        if tokens is not None and tokens < 0:
            raise FormatError(f"a budget of {tokens} tokens: expected a number that is not negative")
        self._lock = threading.Lock()
        self.spent_usd, self.reserved_usd, self.possibly_billed = Decimal(0), Decimal(0), Decimal(0)
        self.spent_tokens, self.reserved_tokens = 0, 0
        self.calls = 0

    def __repr__(self) -> str:
        parts = []
        if self.usd is not None:
            parts.append(f"usd={self.spent_usd}/{self.usd}")
        if self.tokens is not None:
            parts.append(f"tokens={self.spent_tokens}/{self.tokens}")
        return f"<Budget {' '.join(parts) or 'without a limit'}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a budget is shared by threads and tasks, not by processes: it is not pickled")

    @property
    def left_usd(self) -> Decimal | None:
        """USD neither spent nor reserved, None without a limit."""
        return None if self.usd is None else self.usd - self.spent_usd - self.reserved_usd

    def reserve(self, *, usd: Decimal | None, tokens: int) -> Reservation:
        """Hold the worst case of one attempt. Raises BudgetExceeded where it does not fit."""
        money = usd or Decimal(0)
        with self._lock:
            if self.usd is not None:
                if usd is None:
                    raise BudgetExceeded(
                        "the cost of the call is unknown",
                        reason="no known price",
                        hint="a budget in tokens needs no price",
                    )
                if self.spent_usd + self.reserved_usd + money > self.usd:
                    raise BudgetExceeded(
                        f"the call may cost {money:f} USD, and {self.left_usd:f} of {self.usd:f} are left",
                        hint="raise the budget, or lower the output cap",
                    )
            if self.tokens is not None and self.spent_tokens + self.reserved_tokens + tokens > self.tokens:
                left = self.tokens - self.spent_tokens - self.reserved_tokens
                raise BudgetExceeded(f"the call may use {tokens} tokens, and {left} of {self.tokens} are left")
            self.reserved_usd += money
            self.reserved_tokens += tokens
            self.calls += 1
        return Reservation(self, money, tokens)

    def _settle(self, held: Reservation, usd: Decimal | None, tokens: int | None) -> None:
        with self._lock:
            if not held._open:
                return
            held._open = False
            self.reserved_usd -= held.usd
            self.reserved_tokens -= held.tokens
            if usd is None:
                self.possibly_billed += held.usd
            # What goes beyond the reservation is still spent: the limit then refuses the next call.
            self.spent_usd += held.usd if usd is None else usd
            self.spent_tokens += held.tokens if tokens is None else tokens
