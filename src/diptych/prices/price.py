"""The price of one model as a value: its rates by day, tier and hour, and the limits it works within.

Rule: a day that is given has the rates of that day. Without one the day of the price book holds; what
may be dearer later, because a vendor has announced it, is part of :meth:`Price.dearest`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .hours import DAY, Hours, Moment, dearest, hours_at, least, read_hours, read_moment
from .rates import Rates, read_rates

Dated = tuple[str | None, Rates]


@dataclass(frozen=True, slots=True)
class Price:
    """What one model costs, and the limits it works within.

    ``prices`` and each of ``variants`` (``batch``, ``flex``, ``priority``, ``fast``) are rates with the ISO
    day they hold from (None: always), the oldest first. ``hours`` are windows of the day in which the
    standard price is another.
    """

    model: str
    provider: str
    prices: Sequence[Dated]
    variants: Mapping[str, Sequence[Dated]] = field(default_factory=dict)
    hours: Sequence[Hours] = ()
    context_window: int | None = None
    input_limit: int | None = None
    max_output: int | None = None
    reasoning: bool | None = None
    shutdown: str | None = None
    date: str | None = None
    checked: str | None = None  #: the ISO day that the source compared the price with its vendor's page
    source: str = ""
    introductory: bool = False  #: whether the vendor calls the price before the next change a promotion

    def rates(self, variant: str | None = None, *, day: str | None = None) -> Rates | None:
        """Return the rates that hold on ``day``, None where none do.

        ``day`` is an ISO day or time; default: the day of the price book. Where the price depends on the
        hour and ``day`` names none, the dearest hour holds.
        """
        held = self._held(variant, day)
        return dearest(held) if held else None

    def least(self, variant: str | None = None, *, day: str | None = None) -> Rates | None:
        """Return the rates of the hours of ``day`` in which the model costs least."""
        held = self._held(variant, day)
        return least(held) if held else None

    def dearest(self, variant: str | None = None, *, day: str | None = None) -> Rates | None:
        """Return the dearest rates: of the hours of ``day``; without a day also of every change announced."""
        held = self._held(variant, day)
        if held and day is None:
            held += [rates for _, rates in self.changes(variant)]
            held += [one.rates for one in hours_at(self.hours, None) if variant is None]
        return dearest(held) if held else None

    def changes(self, variant: str | None = None) -> list[Dated]:
        """Return the rates that are announced for days after that of the price book."""
        return [
            (start, rates)
            for start, rates in self._dated(variant)
            if start is not None and self.date is not None and start > self.date
        ]

    def hours_of(self, day: str | None = None) -> tuple[Hours, ...]:
        """Return the windows of the day in which the standard price is another, on a day."""
        at = self._moment(day)
        return hours_at(self.hours, at) if self.hours else ()

    def notes(self, variant: str | None = None, *, day: str | None = None) -> tuple[str, ...]:
        """Return in words what is announced for later days, and on which hours the price depends.

        >>> from diptych.prices import default
        >>> default().find("gemini-4-argon").notes()[0][:43]
        'introductory price until 2026-11-30; from 2'
        """
        found = []
        for start, rates in self.changes(variant) if day is None else ():
            until = (datetime.fromisoformat(str(start)) - timedelta(1)).date()
            kind = "introductory price" if self.introductory else "this price holds"
            found.append(f"{kind} until {until}; from {start} {rates}")
        hours = self.hours_of(day) if variant is None and (day is None or len(day) <= DAY) else ()
        found += [f"{one}: {one.rates}; at other hours {self.least(day=day)}" for one in hours]
        return tuple(found)

    def _moment(self, day: str | None) -> Moment | None:
        text = day or self.date
        return read_moment(text) if text else None

    def _dated(self, variant: str | None) -> Sequence[Dated]:
        return self.prices if variant is None else self.variants.get(variant, ())

    def _held(self, variant: str | None, day: str | None) -> list[Rates]:
        """Return the rates that may hold on a day."""
        at = self._moment(day)
        found = [rates for start, rates in self._dated(variant) if start is None or at is None or start <= at.day]
        if not found or variant is not None or not self.hours:
            return found[-1:]
        return self._by_hour(found[-1], hours_at(self.hours, at), at)

    @staticmethod
    def _by_hour(rates: Rates, hours: Sequence[Hours], at: Moment | None) -> list[Rates]:
        if at is None or at.minute is None:
            return [rates, *(one.rates for one in hours if one.windows)]
        return [next((one.rates for one in hours if one.holds(at)), rates)]


def read_price(name: str, entry: Mapping[str, Any], *, date: str | None, source: str) -> Price:
    """Read one model of a snapshot; see ``scripts/build_prices.py``. It has no limits but its own."""
    provider = entry["provider"]
    limits = {key: entry.get(key) for key in ("context_window", "input_limit", "max_output", "reasoning", "shutdown")}
    return Price(
        name,
        provider,
        _dated(entry["prices"], name, provider),
        {variant: _dated(rows, name, provider) for variant, rows in entry.get("variants", {}).items()},
        tuple(read_hours(one, read_rates(one["rates"], name, provider=provider)) for one in entry.get("hours", ())),
        date=date,
        checked=entry.get("checked"),
        source=entry.get("source", source),
        introductory=entry.get("introductory", False),
        **limits,
    )


def _dated(entries: Sequence[Mapping[str, Any]], name: str, provider: str) -> tuple[Dated, ...]:
    return tuple((entry["from"], read_rates(entry["rates"], name, provider=provider)) for entry in entries)
