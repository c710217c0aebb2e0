"""Writing the chunks of a stream: what both APIs have in common, and what they take of other APIs.

Rule: nothing is held back but the tokens, which come last. Every chunk bears the fields beside the choices as
far as they are known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Protocol

from ..loss import Loss
from ..response import Event
from . import heads
from .answers import END
from .counts import CHAT
from .writers import Report

#: What Chat always says of an answer, in the place of what is not known.
_HEAD: Final = {"id": "0", "model": "unknown", "created": 0}


#: Where a choice stands in its chunk; a writer knows its number alone.
_CHOICE: Final = re.compile(r"\.choices\[\d+\]")


class ChunkWriter:
    """Feed it events, get chunks. ``losses`` grows by what the API cannot say."""

    api: heads.Name
    object: str

    def __init__(self, request: Mapping[str, Any] | None = None) -> None:
        self.losses: list[Loss] = []
        self._request = request or {}
        self._head: dict[str, Any] = {"object": self.object}
        self._is_own = False
        self._waits = False  # a field that no chunk has borne yet

    def feed(self, event: Event) -> list[dict[str, Any]]:
        """Take an event; return the chunks that it makes."""
        kind = event.kind
        if kind == "head":
            self._is_own = event.name == self.api
            self._head |= heads.head_of_chunk(event, self.api, self.losses)
            self._waits = True
            return []
        if kind == "usage":
            return [self._chunk([], usage=heads.write_usage(event.value))]
        if kind == "error":
            return [{"error": event.value}]
        return [self._chunk([choice]) for choice in (*self._opening(event), *self._step(event))]

    def finish(self) -> list[dict[str, Any]]:
        """Return what is left at the end: a chunk without choices where a field came after the last one."""
        return [self._chunk([])] if self._waits else []

    def _chunk(self, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        self._waits = False
        return {**self._head, "choices": choices, **more}

    def _opening(self, event: Event) -> list[dict[str, Any]]:
        """Return what stands before the first entry of a choice."""
        raise NotImplementedError

    def _step(self, event: Event) -> list[dict[str, Any]]:
        """Return the entries of ``choices`` that an event makes, one a chunk."""
        raise NotImplementedError


class _Writer(Protocol):
    losses: list[Loss]

    def feed(self, event: Event, /) -> list[dict[str, Any]]: ...
    def finish(self) -> list[dict[str, Any]]: ...


class FromChunks:
    """Gives a writer of Chat or Completions the stream of the other; its losses name the chunk."""

    def __init__(self, writer: _Writer) -> None:
        self.report, self._writer = Report(), writer
        self.losses = self.report.losses

    def feed(self, event: Event) -> list[dict[str, Any]]:
        """Take an event; return the chunks that it makes."""
        made = self._writer.feed(event)
        if self._writer.losses:
            of_writer, place = f"$.choices[{event.choice}]", _CHOICE.match(event.at)
            for path, kind, detail in self._writer.losses:
                at = place[0] + path.removeprefix(of_writer) if place and path.startswith(of_writer) else path[1:]
                self.report.lose(kind, Event(event.kind, at=at), detail=detail)
            self._writer.losses.clear()
        return made

    def finish(self) -> list[dict[str, Any]]:
        """Return what is left at the end."""
        return self._writer.finish()


class AsChunks:
    """Gives a writer of Chat or Completions what it can say of the stream of another API, and tells the rest."""

    def __init__(self, writer: _Writer) -> None:
        self.report, self._writer = Report(), writer
        self.losses = self.report.losses
        self._begun = False
        self._ended: set[int] = set()
        self._own_ends: dict[int, Event] = {}
        self._usage: Event | None = None
        self._parts: dict[str, int] = {}
        self._calls: set[int] = set()

    def feed(self, event: Event) -> list[dict[str, Any]]:
        """Take an event; return the chunks that it makes."""
        kind = event.kind
        if kind == "head":
            return self._head(event)
        if kind == "usage":
            self.report.lose_counts(event, CHAT)
            self._usage = event._replace(value=replace(event.value, server=None)) if event.name is None else None
            return []
        if kind == "error":
            return self._written(event)
        if kind in ("more", "other"):
            if kind == "other" and END in event.value:
                self._own_ends[event.choice] = event._replace(at=self.report.path(event))
            self.report.lose_fields(event)
            return []
        if kind == "part":
            self.report.lose_part(event)
            return []
        head = [] if self._begun else self._head(Event("head", value={}))
        return [*head, *self._written(self._piece(event))]

    def _head(self, event: Event) -> list[dict[str, Any]]:
        """Begin the stream; what is not known of it then is not told later."""
        self.report.lose_fields(event, kept=_HEAD)
        if self._begun:
            return []
        self._begun = True
        known = {name: event.value[name] for name in _HEAD if event.value.get(name) is not None}
        if missing := [name for name in _HEAD if name not in known]:
            self.report.lose_at("$", "synthesised", f"Chat always says {', '.join(missing)}")
        return self._writer.feed(Event("head", value={**_HEAD, **known}))

    def _piece(self, event: Event) -> Event:
        kind = event.kind
        if kind == "start" and event.text not in ("", "assistant"):
            self.report.lose("role-changed", event, detail=f"{event.text} became assistant")
            return event._replace(text="assistant")
        if kind == "call":
            self._calls.add(event.choice)
            self.report.lose_fields(event, kept=("type",))
            value = {"type": event.value["type"]} if event.value and "type" in event.value else None
            return event._replace(value=value)
        if kind == "finish":
            self._ended.add(event.choice)
        if kind in ("text", "reasoning") and event.text:
            return self._text(event)
        return event

    def _text(self, event: Event) -> Event:
        """Return a piece of a text that is one in Chat."""
        if event.kind == "text" and event.choice in self._calls:
            self.report.lose("reordered", event, detail="the text stands before the calls")
        before = self._parts.setdefault(event.kind, event.call)
        self._parts[event.kind] = event.call
        if before == event.call:
            return event if event.name is None and not event.call else event._replace(name=None, call=0)
        self.report.lose("merged", event, detail=f"two {event.kind}s became one")
        text = f"\n{event.text}" if event.kind == "reasoning" else event.text
        return event._replace(text=text, name=None, call=0)

    def _written(self, event: Event) -> list[dict[str, Any]]:
        made = self._writer.feed(event)
        for _, kind, detail in self._writer.losses:
            self.report.lose(kind, event, detail=detail)
        self._writer.losses.clear()
        return made

    def finish(self) -> list[dict[str, Any]]:
        """Return what is left at the end: an end that Chat has no word for, and the tokens."""
        made = []
        for choice, event in self._own_ends.items():
            if choice not in self._ended:
                said = event.value[END].get("is")
                self.report.lose("substituted", event, detail=f"Chat has no {said!r}")
                made += self._written(Event("finish", choice, "stop"))
        return [*made, *(self._written(self._usage) if self._usage else []), *self._writer.finish()]
