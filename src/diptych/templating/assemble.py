"""Events in, messages out: the only place where messages are made.

Rule: a message begins and ends at its events, never at a character. Text outside
of messages is either a prompt (no message at all) or, beside messages, must be
blank. Line breaks that the author wrote at an end of a message, or beside a media
part, are layout and not content; those of data always stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..errors import RoleError
from ..model import Content, Message, Part, Segment, Source, TextPart
from ..sandbox.limits import check_size, current_limits
from .events import Event, HistoryEvent, MessageEnd, MessageStart, PartEvent, flatten


class Runs:
    """Text as it arrives, one run of characters for each change of author.

    A run is joined once, when it ends: adding to it stays linear however often.
    """

    __slots__ = ("_input", "_source", "_texts", "items")

    def __init__(self) -> None:
        self.items: list[Segment | Part] = []
        self._texts: list[str] = []
        self._source: Source = "template"
        self._input: str | None = None

    def add(self, text: str, source: Source, name: str | None = None) -> None:
        """Add text of one author."""
        if not text:
            # Empty data adds nothing, but it stands between the author's texts.
            if source == "data":
                self._end_run()
                self.items.append(Segment("", "data", name))
            return
        if source != self._source or name != self._input:
            self._end_run()
            self._source, self._input = source, name
        self._texts.append(text)

    def add_part(self, part: Part) -> None:
        """Add a media part between texts."""
        self._end_run()
        self.items.append(part)

    def finish(self) -> list[Segment | Part]:
        """Return segments and parts in order."""
        self._end_run()
        return self.items

    def _end_run(self) -> None:
        if self._texts:
            self.items.append(Segment("".join(self._texts), self._source, self._input))
            self._texts = []


@dataclass(slots=True)
class Draft:
    """A message while it is put together: its segments in order, parts between them."""

    start: MessageStart
    runs: Runs = field(default_factory=Runs)

    def finish(self) -> Entry:
        """Return the finished message: a string, or parts where there is media."""
        items, start = trim_layout(self.runs.finish()), self.start
        segments = tuple(item for item in items if isinstance(item, Segment))
        message = Message(start.role, _content(items), start.name, (), start.tool_call_id)
        return Entry(message, segments, start.priority)


def trim_layout(items: list[Segment | Part]) -> list[Segment | Part]:
    """Take the author's line breaks off both ends, and off the borders of parts."""
    groups: list[list[Segment]] = [[]]
    parts: list[Part] = []
    for item in items:
        if isinstance(item, Segment):
            groups[-1].append(item)
        else:
            parts.append(item)
            groups.append([])
    trimmed: list[Segment | Part] = []
    for index, group in enumerate(groups):
        if index:
            trimmed.append(parts[index - 1])
        for segment in _trim_ends(group):
            add_segment(trimmed, segment)
    return trimmed


def _trim_ends(group: list[Segment]) -> list[Segment]:
    if group and group[0].source == "template":
        group[0] = Segment(group[0].text.lstrip("\r\n"), "template")
    if group and group[-1].source == "template":
        group[-1] = Segment(group[-1].text.rstrip("\r\n"), "template")
    return group


def _content(items: list[Segment | Part]) -> Content:
    if all(isinstance(item, Segment) for item in items):
        return "".join(item.text for item in items if isinstance(item, Segment))
    parts: list[Part] = []
    for item in items:
        if not isinstance(item, Segment):
            parts.append(item)
        elif parts and isinstance(parts[-1], TextPart):
            parts[-1] = TextPart(parts[-1].text + item.text)
        else:
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
    loose = Runs()
    entries: list[Entry] = []
    draft: Draft | None = None
    structured, size, cap = False, 0, current_limits().output
    for event in flatten(events):
        kind = type(event)
        if kind is str or kind is tuple:
            text = event if kind is str else event[1]
            runs = loose if draft is None else draft.runs
            if kind is str:
                runs.add(event, "template")  # type: ignore[arg-type]
            else:
                runs.add(text, "data", event[0])
            size += len(text)
            if size > cap:
                check_size(size)
            continue
        structured = True
        draft = _structure(event, draft, entries)
    if draft is not None:
        raise RoleError(f"the {draft.start.role} message is not closed")
    outside: list[Segment] = []
    for item in loose.finish():
        if isinstance(item, Segment):
            add_segment(outside, item)
    if structured:
        _check_loose(outside)
    return Assembled(() if structured else tuple(outside), tuple(entries), structured)


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
        entries.append(draft.finish())
        return None
    if isinstance(event, PartEvent):
        if draft is None:
            raise RoleError(
                "an image, audio or file part stands outside of a message",
                hint="put it between {% user %} and {% enduser %}",
            )
        draft.runs.add_part(event.part)
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
