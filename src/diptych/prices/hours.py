"""Prices that depend on the hour: windows of the day in UTC, and which rates may hold when.

Rule: what names a day and no hour leaves every rate of that day possible, so a cost lies between the
least and the dearest of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from ..errors import PriceError
from .rates import FALLBACK, RATE_NAMES, Rate, Rates

_MINUTES: Final = 24 * 60
#: So long is an ISO day without a time.
DAY: Final = len("2026-11-24")
_WORKDAYS: Final = "mon-fri"


class Moment(NamedTuple):
    """A day (ISO), and the minute of the day in UTC and the weekday (0 is Monday) where they are known."""

    day: str
    minute: int | None = None
    weekday: int | None = None


def read_moment(text: str) -> Moment:
    """Read an ISO day, or an ISO day and time; a time without a zone is UTC. Raises PriceError on anything else.

    >>> read_moment("2026-11-24"), read_moment("2026-11-24T03:30+02:00")
    (Moment(day='2026-11-24', minute=None, weekday=None), Moment(day='2026-11-24', minute=90, weekday=1))
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise PriceError(f"{text!r} is not a day such as 2026-11-24 or a time such as 2026-11-24T01:30Z") from None
    if len(text) <= DAY:
        return Moment(at.date().isoformat())
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return Moment(at.date().isoformat(), at.hour * 60 + at.minute, at.weekday())


class Hours(NamedTuple):
    """Rates that hold in windows of the day from a day on (None: always), until further hours hold.

    ``windows`` are first and last minutes, the last one excluded; ``workdays`` leaves out the weekends.
    """

    since: str | None
    windows: tuple[tuple[int, int], ...]
    workdays: bool
    rates: Rates

    def holds(self, at: Moment) -> bool:
        """Say whether the rates hold at a moment whose minute is known."""
        if at.minute is None or (self.workdays and at.weekday is not None and at.weekday > 4):
            return False
        return any(
            start <= at.minute < end if start < end else at.minute >= start or at.minute < end
            for start, end in self.windows
        )

    def __str__(self) -> str:
        windows = ", ".join(f"{_clock(start)}-{_clock(end)}" for start, end in self.windows)
        return f"{windows} UTC{', Monday to Friday' if self.workdays else ''}"


def read_hours(entry: Mapping[str, Any], rates: Rates) -> Hours:
    """Read ``{"from": "2026-08-17", "windows": ["01:00-04:00"], "days": "mon-fri"}``."""
    windows = [window.split("-") for window in entry["windows"]]
    minutes = tuple((_minute(start), _minute(end)) for start, end in windows)
    return Hours(entry.get("from"), minutes, entry.get("days") == _WORKDAYS, rates)


def _minute(text: str) -> int:
    hour, _, minute = text.partition(":")
    return (int(hour) * 60 + int(minute)) % _MINUTES


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def hours_at(hours: Sequence[Hours], at: Moment | None) -> tuple[Hours, ...]:
    """Return the hours of the day that hold at a moment; None is the end of time."""
    begun = [one for one in hours if one.since is None or at is None or one.since <= at.day]
    return tuple(one for one in begun if one.since == begun[-1].since)


# the least and the dearest of several ---------------------------------------------------


def least(several: Sequence[Rates]) -> Rates:
    """Return the least rate of every kind, at every length of a prompt."""
    return _chosen(several, min)


def dearest(several: Sequence[Rates]) -> Rates:
    """Return the dearest rate of every kind, at every length of a prompt."""
    return _chosen(several, max)


def _chosen(several: Sequence[Rates], choose: Callable[[Iterable[Decimal]], Decimal]) -> Rates:
    if len(several) == 1:
        return several[0]
    found: dict[str, Rate] = {}
    for name in RATE_NAMES:
        stated = [rate for rates in several if (rate := _own(rates, name)) is not None]
        if stated and any(rates.has(name) for rates in several):
            edges = sorted({edge for rate in stated for edge, _ in rate.tiers})
            tiers = tuple((edge, choose(rate.at(edge + 1) for rate in stated)) for edge in edges)
            found[name] = Rate(choose(rate.base for rate in stated), tiers)
    return Rates(found, caches_alone=several[0].caches_alone)


def _own(rates: Rates, name: str) -> Rate | None:
    kind: str | None = name
    while kind is not None and kind not in rates.by_name:
        kind = FALLBACK.get(kind)
    return None if kind is None else rates.by_name[kind]
