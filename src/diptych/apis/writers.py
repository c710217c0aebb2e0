"""Writing the events of a stream: what the APIs whose streams are not those of Chat have in common.

Rule: nothing is held back that the API can say at once. What it cannot say is a loss, told once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..loss import Loss
from ..model import OtherPart
from ..response import HEAD, Event, Usage
from .answers import Answers
from .counts import Counts


class EventWriter:
    """Feed it events, get those of an API. ``losses`` grows by what the API cannot say."""

    answers: ClassVar[Answers]

    def __init__(self, request: Mapping[str, Any] | None = None) -> None:
        self.losses: list[Loss] = []
        self.request = request or {}
        self.head: dict[str, Any] = {}
        self.source: str | None = None
        self.end: str | None = None
        self.usage: Usage | None = None
        self.failed = False
        self._told: set[tuple[str, str]] = set()

    @property
    def is_own(self) -> bool:
        """Tell whether the events came from the same API."""
        return self.source == self.answers.name

    @property
    def counts(self) -> Counts:
        """Where the API states tokens."""
        return self.answers.counts

    def lose(self, kind: str, detail: str = "", path: str = "$") -> None:
        """Report a loss, once a stream."""
        if (kind, detail) not in self._told:
            self._told.add((kind, detail))
            self.losses.append(Loss(path, kind, detail))

    def feed(self, event: Event) -> list[dict[str, Any]]:
        """Take an event; return what it makes."""
        if event.kind == "head":
            return self._head(event)
        if event.kind == "usage":
            self.usage = event.value
            return []
        if event.kind == "error":
            self.failed = True
            return self.write_error(event.value)
        if event.choice and not self.has_choices:
            self.lose("message-dropped", f"{self.answers.name} gives one reply")
            return []
        if event.kind == "finish":
            return self.write_end(event)
        if event.kind == "part" and self._is_foreign(event.value):
            return []
        if event.kind in ("more", "other") and not self.is_own:
            for name, value in event.value.items():
                if value is not None and not name.startswith("diptych:"):
                    self.lose("field-dropped", f"{name} has no place in {self.answers.name}")
            return []
        return self.write(event)

    has_choices: ClassVar[bool] = False

    def _head(self, event: Event) -> list[dict[str, Any]]:
        self.source = event.name
        rows = {row.to for row in self.answers.head}
        for name, value in event.value.items():
            if name in HEAD or self.is_own:
                self.head[name] = value
                if name not in rows and not self.is_own:
                    self.lose("field-dropped", f"{name} has no place in {self.answers.name}")
            elif value not in (None, "", [], {}) and name not in ("object", "type"):
                self.lose("field-dropped", f"{name} has no place in {self.answers.name}")
        return self.write_head()

    def _is_foreign(self, part: Any) -> bool:
        if not isinstance(part, OtherPart) or part.api == self.answers.name:
            return False
        self.lose("field-dropped", f"a part of {part.api}")
        return True

    def write_head(self) -> list[dict[str, Any]]:
        """Return what opens the stream, once something is known of it."""
        return []

    def write(self, event: Event) -> list[dict[str, Any]]:
        """Return what a piece of a reply makes."""
        raise NotImplementedError

    def write_end(self, event: Event) -> list[dict[str, Any]]:
        """Take why the reply ended."""
        self.end = event.text
        return []

    def write_error(self, error: Any) -> list[dict[str, Any]]:
        """Return what tells an error."""
        return [{"error": error}]

    def finish(self) -> list[dict[str, Any]]:
        """Return what ends the stream."""
        return []

    def word(self, end: str | None) -> str | None:
        """Return the API's word for an end."""
        if end is None:
            return None
        word = self.answers.word_for(end)
        if word is None:
            self.lose("substituted", f"{self.answers.name} has no {end!r}")
        return word or self.answers.word_for("stop")


class BlockWriter(EventWriter):
    """Writes a reply as blocks that begin, grow and end: Anthropic and Bedrock."""

    def __init__(self, request: Mapping[str, Any] | None = None) -> None:
        super().__init__(request)
        self._begun = False
        self._count = 0
        self._open: dict[Any, int] = {}
        self._word: str | None = None

    def write_head(self) -> list[dict[str, Any]]:
        return self._begin()

    def _begin(self) -> list[dict[str, Any]]:
        if self._begun:
            return []
        self._begun = True
        return self.opening()

    def write(self, event: Event) -> list[dict[str, Any]]:
        return [*self._begin(), *self._piece(event)]

    def _piece(self, event: Event) -> list[dict[str, Any]]:
        kind = event.kind
        if event.value is not None and kind == "text":
            self.lose("field-dropped", "log probabilities")
        if kind == "text" or kind == "refusal":
            if kind == "refusal":
                self.lose("substituted", "the refusal is a text")
            return self._grow("text", event) if event.text else []
        if kind == "reasoning":
            if not self.is_own:
                self.lose("reasoning-dropped", f"{self.answers.name} takes back the reasoning that it signed")
                return []
            return self._grow("reasoning", event) if event.text else []
        if kind == "call":
            return self._grow("call", event)
        if kind == "part":
            return self._whole(event)
        if kind == "more" and self._open:
            *_, (block, index) = self._open.items()
            return self.further(index, block[0], event.value)
        if kind == "other":
            self._word = event.value.get("diptych:end", {}).get("is", self._word)
        return []

    def _grow(self, kind: str, event: Event) -> list[dict[str, Any]]:
        block = (kind, event.call if kind == "call" or self.is_own else 0)
        made: list[dict[str, Any]] = []
        if block not in self._open:
            made += self._close(calls=kind != "call")
            self._open[block] = self._count
            self._count += 1
            made += self.start(self._open[block], kind, event)
        return [*made, *(self.delta(self._open[block], kind, event.text) if event.text else [])]

    def _close(self, *, calls: bool) -> list[dict[str, Any]]:
        """End the blocks that are open; pieces of a call may still come where other calls begin."""
        ended = [block for block in self._open if calls or block[0] != "call"]
        return [one for block in ended for one in self.stop(self._open.pop(block))]

    def _whole(self, event: Event) -> list[dict[str, Any]]:
        if not isinstance(event.value, OtherPart):
            self.lose("media-dropped", f"a {type(event.value).__name__}")
            return []
        made = [*self._close(calls=True), *self.whole(self._count, event.value)]
        self._count += 1
        return made

    def finish(self) -> list[dict[str, Any]]:
        if self.failed or (not self._begun and not self.usage and self.end is None):
            return []
        own = self._word if self.is_own and self.answers.end_of(self._word)[0] == self.end else None
        return [*self._begin(), *self._close(calls=True), *self.closing(own or self.word(self.end))]

    # what an API says

    def opening(self) -> list[dict[str, Any]]:
        """Return what opens a message."""
        raise NotImplementedError

    def start(self, index: int, kind: str, event: Event) -> list[dict[str, Any]]:
        """Return what begins a block."""
        raise NotImplementedError

    def delta(self, index: int, kind: str, text: str) -> list[dict[str, Any]]:
        """Return what a block grows by."""
        raise NotImplementedError

    def further(self, index: int, kind: str, fields: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return what else a block says."""
        raise NotImplementedError

    def stop(self, index: int) -> list[dict[str, Any]]:
        """Return what ends a block."""
        raise NotImplementedError

    def whole(self, index: int, part: OtherPart) -> list[dict[str, Any]]:
        """Return a block that came whole."""
        raise NotImplementedError

    def closing(self, word: str | None) -> list[dict[str, Any]]:
        """Return what closes a message."""
        raise NotImplementedError
