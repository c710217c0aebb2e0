"""Events in, messages out: the only place where messages are made.

Rule: a message begins and ends at its events, never at a character. Text outside
of messages is either a prompt (no message at all) or, beside messages, must be
blank.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..errors import RoleError
from ..model import Message, Part, Segment, TextPart
from ..sandbox.limits import check_size
from .events import Event, HistoryEvent, MessageEnd, MessageStart, PartEvent, flatten


@dataclass(slots=True)
class Draft:
    """A message while it is put together: its segments in order, parts between them."""

    start: MessageStart
    items: list[Segment | Part] = field(default_factory=list)

    def add(self, segment: Segment) -> None:
        add_segment(self.items, segment)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The text of the message with its authors, media parts left out."""
        return tuple(item for item in self.items if isinstance(item, Segment))

    def message(self) -> Message:
        """Return the neutral message: a string, or parts where there is media."""
        start = self.start
        return Message(start.role, self._content(), start.name, (), start.tool_call_id)

    def _content(self) -> Any:
        if all(isinstance(item, Segment) for item in self.items):
            return "".join(item.text for item in self.items if isinstance(item, Segment))
        parts: list[Part] = []
        for item in self.items:
            if not isinstance(item, Segment):
                parts.append(item)
            elif parts and isinstance(parts[-1], TextPart):
                parts[-1] = TextPart(parts[-1].text + item.text)
            elif item.text:
                parts.append(TextPart(item.text))
        return tuple(_without_blank_text(parts))


@dataclass(frozen=True, slots=True)
class Entry:
    """One finished message with the authors of its text."""

    message: Message
    segments: tuple[Segment, ...]
    priority: float | None = None


@dataclass(frozen=True, slots=True)
class Assembled:
    """What a run of a template gave: the text of a prompt, or the entries of a chat."""

    loose: tuple[Segment, ...]
    entries: tuple[Entry, ...]
    is_chat: bool


def add_segment(items: list[Any], segment: Segment) -> None:
    """Append a segment, joined to the last one where both have the same author."""
    if not segment.text:
        return
    last = items[-1] if items else None
    if isinstance(last, Segment) and last.source == segment.source and last.input == segment.input:
        items[-1] = Segment(last.text + segment.text, segment.source, segment.input)
    else:
        items.append(segment)


def _without_blank_text(parts: list[Part]) -> Iterable[Part]:
    """Leave out the text parts that only hold the line breaks between media tags."""
    for part in parts:
        if not (isinstance(part, TextPart) and not part.text.strip()):
            yield part


def assemble(events: Iterable[Event]) -> Assembled:
    """Put the events together. Raises RoleError and ResourceLimit."""
    loose: list[Segment] = []
    entries: list[Entry] = []
    draft: Draft | None = None
    structured, size = False, 0
    for event in flatten(events):
        kind = type(event)
        if kind is str or kind is tuple:
            segment = Segment(event, "template") if kind is str else Segment(event[1], "data", event[0])  # type: ignore[arg-type]
            size += len(segment.text)
            check_size(size)
            if draft is not None:
                draft.add(segment)
            else:
                add_segment(loose, segment)
            continue
        structured = True
        draft = _structure(event, draft, entries)
    if draft is not None:
        raise RoleError(f"the {draft.start.role} message is not closed")
    if structured:
        _check_loose(loose)
    return Assembled(() if structured else tuple(loose), tuple(entries), structured)


def _structure(event: Any, draft: Draft | None, entries: list[Entry]) -> Draft | None:
    """Act on a message border, a part or a history; return the message now open."""
    if isinstance(event, MessageStart):
        if draft is not None:
            raise RoleError(
                f"a {event.role} message stands inside a {draft.start.role} message",
                hint="close the outer message first",
            )
        return Draft(event)
    if isinstance(event, MessageEnd):
        if draft is None:
            raise RoleError("a message ends that was never opened")
        entries.append(Entry(draft.message(), draft.segments, draft.start.priority))
        return None
    if isinstance(event, PartEvent):
        if draft is None:
            raise RoleError("an image, audio or file part stands outside of a message",
                            hint="put it between {% user %} and {% enduser %}")
        draft.items.append(event.part)
        return draft
    if draft is not None:
        raise RoleError("{% history %} stands inside a message", hint="put it between messages")
    entries.extend(history_entries(event))
    return None


def history_entries(event: HistoryEvent) -> Iterable[Entry]:
    """Yield an entry for each message of a history: its text is data."""
    for message in event.messages:
        segments = (Segment(message.text, "data", event.input),) if message.text else ()
        yield Entry(message, segments)


class LooseText(RoleError):
    """Text beside message tags; ``text`` lets the caller find the place in the source."""

    def __init__(self, message: str = "", *, text: str = "", **keywords: Any) -> None:
        super().__init__(message, **keywords)
        self.text = text


def _check_loose(loose: list[Segment]) -> None:
    for segment in loose:
        if shown := segment.text.strip():
            raise LooseText(
                f"text stands outside of the message tags: {shown[:40]!r}",
                text=shown if segment.source == "template" else "",
                hint="put it inside a message, or take the message tags out to write a prompt",
            )
