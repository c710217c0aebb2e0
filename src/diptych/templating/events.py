"""What a template yields while it runs: text with its author, and message borders.

Rule: author text is a plain ``str``, data is a pair ``(input name or None, str)``,
and structure is an object of its own. Text is never read again to find structure,
so no data can make any. A captured text (macro, ``{% set %}`` block, ``caller()``)
is a :class:`Traced` string that remembers the events it came from; whatever changes
it returns a plain ``str``, which counts as data.
"""

from __future__ import annotations

from collections.abc import Iterable
from sys import getsizeof
from typing import Any, Final, NamedTuple, TypeAlias, Union

from ..model import ContentPart, FrozenMap, Message, ToolCall
from ..sandbox.limits import account, check_size, current_limits, drained, new_buffer
from ..sandbox.printing import text as plain_text


class Place(NamedTuple):
    """Where a tag stands: the name of its template, the line of its body, and its word."""

    name: str | None
    line: int
    tag: str


class MessageStart(NamedTuple):
    """``{% message role=… %}``: text up to the next :class:`MessageEnd` belongs to it."""

    role: str
    name: str | None = None
    tool_call_id: str | None = None
    priority: float | None = None
    prefill: bool = False
    cache_control: FrozenMap | None = None
    place: Place | None = None


class MessageEnd(NamedTuple):
    """``{% endmessage %}``."""


class PartEvent(NamedTuple):
    """``{% image %}``, ``{% audio %}``, ``{% file %}`` or ``{% tool_call %}``."""

    part: ContentPart | ToolCall
    place: Place | None = None


class HistoryEvent(NamedTuple):
    """``{% history messages %}``: whole messages that came as data."""

    messages: tuple[Message, ...]
    input: str | None = None
    place: Place | None = None

    @property
    def size(self) -> int:
        """The characters of its texts, which count as output."""
        return sum(len(message.text) for message in self.messages)


#: ``str`` by the author, a plain ``(input, text)`` pair, or one of the classes above.
Event: TypeAlias = Union[str, tuple[Any, ...]]


class Traced(str):
    """A captured text that knows its events; printing it keeps their authors."""

    events: tuple[Event, ...]
    structured: bool
    size: int

    def __new__(cls, value: str, events: tuple[Event, ...], structured: bool, size: int) -> Traced:
        traced = super().__new__(cls, value)
        traced.events = events
        traced.structured = structured
        traced.size = size
        return traced

    def __str__(self) -> str:
        return self


def collect(events: Iterable[Event]) -> tuple[list[Event], bool, int]:
    """Return the events, every traced text replaced by its own; whether any is structure; and the size.

    Raises ResourceLimit as soon as the text is over the cap. This loop runs once for
    every printed value: it stays flat and plain.
    """
    kept: list[Event] = new_buffer()
    structured, size, cap = False, 0, current_limits().output
    for event in events:
        kind = type(event)
        value = event
        if kind is tuple:
            value = event[1]
            kind = type(value)
        if kind is str:
            kept.append(event)
            size += len(value)
        elif kind is Traced:
            kept += value.events  # type: ignore[union-attr]
            structured = structured or value.structured  # type: ignore[union-attr]
            size += value.size  # type: ignore[union-attr]
        else:
            structured = True
            kept.append(event)
            size += value.size if kind is HistoryEvent else 0  # type: ignore[union-attr]
        if size > cap:
            check_size(size)
    drained(kept)
    return kept, structured, size


def texts_of(events: Iterable[Event]) -> list[str]:
    """Return the texts of events, structure left out."""
    return [e if type(e) is str else e[1] for e in events if type(e) is str or type(e) is tuple]


def capture(events: Iterable[Event]) -> Traced:
    """Join the events of a macro or block into one traced text.

    Takes the place of Jinja's ``concat``.
    """
    running = account()
    if running and isinstance(events, list):  # the buffer of a macro or block
        running.release(events)
    kept, structured, size = collect(events)
    traced = Traced("".join(texts_of(kept)), tuple(kept), structured, size)
    if running:
        running.grow(getsizeof(traced) + _EVENT * len(kept), traced)
    return traced


#: Bytes of a printed value with its author.
_EVENT: Final = 72


def text(value: Any) -> str:
    """Return the text of a printed expression: plain data only, a traced text as it is."""
    if type(value) is str or type(value) is Traced:
        return value
    return str.__str__(value) if isinstance(value, str) else plain_text(value)


def shown(value: Any) -> str:
    """Return the text of a printed name: nothing where it is None, as an optional input that was not given."""
    return "" if value is None else text(value)
