"""Events in, messages out: the only place where messages are made.

Rule: a message begins and ends at its events, never at a character. Text outside
of messages is either a prompt (no message at all) or, beside messages, must be
blank. Line breaks that the author wrote at an end of a message, or beside a media
part, are layout and not content; those of data always stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..errors import RoleError
from ..model import FrozenMap, Message, Part, Segment, TextPart, ToolCall
from .events import Event, HistoryEvent, MessageEnd, MessageStart, PartEvent, Place, collect, texts_of


class Entry:
    """One finished message; its ``segments`` say who wrote its text."""

    __slots__ = ("_events", "_segments", "message", "prefill", "priority")

    def __init__(
        self,
        message: Message,
        segments: tuple[Segment, ...] | None = None,
        priority: float | None = None,
        events: Sequence[Event] = (),
        prefill: bool = False,
    ) -> None:
        self.message = message
        self.prefill = prefill
        self.priority = priority
        self._segments = segments
        self._events = events

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The text of the message with its authors, media parts left out."""
        if self._segments is None:
            self._segments = segments_of_events(self._events)
        return self._segments


class Assembled:
    """What a run of a template gave: the text of a prompt, or the entries of a chat."""

    __slots__ = ("_events", "_loose", "entries", "is_chat")

    def __init__(
        self,
        loose: tuple[Segment, ...] | None,
        entries: tuple[Entry, ...],
        is_chat: bool,
        events: Sequence[Event] = (),
    ) -> None:
        self.entries = entries
        self.is_chat = is_chat
        self._loose = loose
        self._events = events

    @property
    def loose(self) -> tuple[Segment, ...]:
        """The text of a prompt with its authors; empty for a chat."""
        if self._loose is None:
            self._loose = segments_of_events(self._events)
        return self._loose

    @property
    def text(self) -> str:
        """The text of a prompt."""
        if self._loose is None:
            return "".join(texts_of(self._events))
        return "".join(segment.text for segment in self._loose)


def segments_of_events(events: Iterable[Event]) -> tuple[Segment, ...]:
    """Return the text of events as segments, adjacent ones of one author joined."""
    items: list[Segment] = []
    texts: list[str] = []
    author: tuple[Any, ...] = ("template", None)
    for event in events:
        if type(event) is str:
            mine: tuple[Any, ...] = ("template", None)
            text = event
        elif type(event) is tuple:
            mine, text = ("data", event[0]), event[1]
        else:
            continue
        if mine != author and text:
            if texts:
                items.append(Segment("".join(texts), *author))
            texts, author = [], mine
        if text:
            texts.append(text)
    if texts:
        items.append(Segment("".join(texts), *author))
    return tuple(items)


def add_segment(items: list[Any], segment: Segment) -> None:
    """Append a segment, joined to the last one where both have the same author."""
    if not segment.text:
        return
    last = items[-1] if items else None
    if isinstance(last, Segment) and last.source == segment.source and last.input == segment.input:
        items[-1] = Segment(last.text + segment.text, segment.source, segment.input)
    else:
        items.append(segment)


def assemble(events: Iterable[Event]) -> Assembled:
    """Put the events together. Raises RoleError and ResourceLimit."""
    kept, structured, _ = collect(events)
    if not structured:
        return Assembled(None, (), False, kept)
    loose: list[Event] = []
    entries: list[Entry] = []
    start: MessageStart | None = None
    inside = loose
    for event in kept:
        kind = type(event)
        if kind is str or kind is tuple:
            inside.append(event)
            continue
        start, inside = _structure(event, start, inside, loose, entries)
    if start is not None:
        raise Misplaced(f"the {start.role} message is not closed", place=start.place)
    _check_loose(segments_of_events(loose))
    _check_prefill(kept, entries)
    return Assembled((), tuple(entries), True)


def _check_prefill(events: Iterable[Event], entries: Sequence[Entry]) -> None:
    if any(entry.prefill for entry in entries[:-1]):
        place = next((e.place for e in events if isinstance(e, MessageStart) and e.prefill), None)
        hint = "put {% assistant prefill=true %} at the end"
        raise Misplaced("a prefill is not the last message", place=place, hint=hint)


def _structure(
    event: Any, start: MessageStart | None, inside: list[Event], loose: list[Event], entries: list[Entry]
) -> tuple[MessageStart | None, list[Event]]:
    """Act on a message border, a part or a history; return the message now open."""
    if isinstance(event, MessageStart):
        if start is not None:
            raise Misplaced(
                f"a {event.role} message stands inside a {start.role} message",
                place=event.place,
                hint="close the outer message first",
            )
        return event, []
    if isinstance(event, MessageEnd):
        if start is None:
            raise RoleError("a message ends that was never opened")
        entries.append(_finish(start, inside))
        return None, loose
    if isinstance(event, PartEvent):
        if start is None:
            hint = "put it between {% user %} and {% enduser %}"
            raise Misplaced(
                "an image, audio, file or tool call stands outside of a message", place=event.place, hint=hint
            )
        inside.append(event)
        return start, inside
    if start is not None:
        raise Misplaced("{% history %} stands inside a message", place=event.place, hint="put it between messages")
    entries.extend(_history_entries(event))
    return None, loose


def _finish(start: MessageStart, events: list[Event]) -> Entry:
    """Return the finished message: a string, or parts where there is media."""
    if any(type(event) is PartEvent for event in events):
        _check_calls(start.role, events)
        parts, events = _parts(events)
        is_list = any(not isinstance(part, TextPart | ToolCall) for part in parts)
        message = Message.of(start.role, parts, name=start.name, tool_call_id=start.tool_call_id, is_list=is_list)
    else:
        trim_layout(events)
        message = Message(start.role, "".join(texts_of(events)), start.name, (), start.tool_call_id)
    if start.cache_control is not None:
        message = _marked(message, start)
    return Entry(message, None, start.priority, events, start.prefill)


def _check_calls(role: str, events: Iterable[Event]) -> None:
    for event in events if role != "assistant" else ():
        if isinstance(event, PartEvent) and isinstance(event.part, ToolCall):
            hint = "put {% tool_call %} into {% assistant %}"
            raise Misplaced(f"a {role} message calls a tool", place=event.place, hint=hint)


def _marked(message: Message, start: MessageStart) -> Message:
    """Return a message at whose last text a prompt cache may end."""
    parts = list(message.parts)
    at = next((i for i in range(len(parts) - 1, -1, -1) if isinstance(parts[i], TextPart)), None)
    if at is None:
        hint = "put it on a message that has text"
        raise Misplaced("cache_control needs a text in the message", place=start.place, hint=hint)
    parts[at] = TextPart(message.parts[at].text, FrozenMap({"chat": {"cache_control": start.cache_control}}))  # type: ignore[union-attr]
    return message.replace(parts=parts, is_list=True)


def _parts(events: list[Event]) -> tuple[tuple[Part, ...], list[Event]]:
    """Return the parts of a content with media, and its text events."""
    parts: list[Part] = []
    texts: list[Event] = []
    group: list[Event] = []
    for event in [*events, None]:
        if event is not None and not isinstance(event, PartEvent):
            group.append(event)
            continue
        trim_layout(group)
        text = "".join(texts_of(group))
        if text.strip():
            parts.append(TextPart(text))
            texts += group
        if isinstance(event, PartEvent):
            parts.append(event.part)
        group = []
    return tuple(parts), texts


def trim_layout(events: list[Event]) -> None:
    """Take the author's line breaks off both ends of a text, in place."""
    for index in range(len(events)):
        event = events[index]
        if type(event) is not str:
            break
        events[index] = event.lstrip("\r\n")
        if events[index]:
            break
    for index in range(len(events) - 1, -1, -1):
        event = events[index]
        if type(event) is not str:
            break
        events[index] = event.rstrip("\r\n")
        if events[index]:
            break


def _history_entries(event: HistoryEvent) -> Iterable[Entry]:
    """Yield an entry for each message of a history: its text is data."""
    for message in event.messages:
        yield Entry(message, (Segment(message.text, "data", event.input),) if message.text else ())


class Misplaced(RoleError):
    """What stands where it may not; ``place`` or ``text`` lets the caller find it in the source."""

    def __init__(self, message: str = "", *, place: Place | None = None, text: str = "", **keywords: Any) -> None:
        super().__init__(message, **keywords)
        self.place, self.text = place, text


def _check_loose(loose: Iterable[Segment]) -> None:
    for segment in loose:
        if shown := segment.text.strip():
            raise Misplaced(
                f"text stands outside of the message tags: {shown[:40]!r}",
                text=shown if segment.source == "template" else "",
                hint="put it inside a message, or take the message tags out to write a prompt",
            )
