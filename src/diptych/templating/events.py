"""What a template yields while it runs: text with its author, and message borders.

Rule: author text is a plain ``str``, data is a pair ``(input name or None, str)``,
and structure is an object of its own. Text is never read again to find structure,
so no data can make any. A captured text (macro, ``{% set %}`` block, ``caller()``)
is a :class:`Traced` string that remembers the events it came from; whatever changes
it returns a plain ``str``, which counts as data.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, TypeAlias, Union

from ..model import Message, Part
from ..sandbox.guards import check_printable
from ..sandbox.limits import check_size


class MessageStart(NamedTuple):
    """``{% message role=… %}``: text up to the next :class:`MessageEnd` belongs to it."""

    role: str
    name: str | None = None
    tool_call_id: str | None = None
    priority: float | None = None


class MessageEnd(NamedTuple):
    """``{% endmessage %}``."""


class PartEvent(NamedTuple):
    """``{% image %}``, ``{% audio %}`` or ``{% file %}``."""

    part: Part


class HistoryEvent(NamedTuple):
    """``{% history messages %}``: whole messages that came as data."""

    messages: tuple[Message, ...]
    input: str | None = None


class DataText(tuple[Any, ...]):
    """Marks the class of ``(input, text)`` pairs in type hints; at run time a plain tuple."""


Event: TypeAlias = Union[str, tuple[Any, ...]]
STRUCTURE = (MessageStart, MessageEnd, PartEvent, HistoryEvent)


class Traced(str):
    """A captured text that knows its events; printing it keeps their authors."""

    events: tuple[Event, ...]

    def __new__(cls, value: str, events: tuple[Event, ...]) -> Traced:
        traced = super().__new__(cls, value)
        traced.events = events
        return traced

    def __str__(self) -> str:
        return self


def capture(events: Iterable[Event]) -> Traced:
    """Join the events of a macro or block into one traced text.

    Takes the place of Jinja's ``concat``.
    """
    kept = tuple(flatten(events))
    texts = [event if type(event) is str else event[1] for event in kept if not isinstance(event, STRUCTURE)]
    check_size(sum(map(len, texts)))
    return Traced("".join(texts), kept)


def flatten(events: Iterable[Event]) -> Iterable[Event]:
    """Yield the events with every traced text replaced by its own events."""
    for event in events:
        if type(event) is tuple and type(event[1]) is Traced:
            yield from event[1].events
        elif type(event) is Traced:
            yield from event.events
        else:
            yield event


def text(value: Any) -> str:
    """Return the text of a printed expression: plain data only, a traced text as it is."""
    if type(value) is str or type(value) is Traced:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    check_printable(value)
    return str(value)
