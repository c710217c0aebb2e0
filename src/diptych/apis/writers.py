"""Writing the events of a stream: what the APIs whose streams are not those of Chat have in common.

Rule: nothing is held back that the API can say at once, and nothing is said that the source did not: a reply
without an end gets none. What the API cannot say is a loss with the path of its leaf in the source; of leaves
that differ only in their numbers the first is told. A stream is written for another API than its own, which
passes it on as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from ..loss import Loss
from ..model import AudioPart, FilePart, ImagePart
from ..response import HEAD, Event, Usage
from .answers import END, Answers
from .counts import CHAT, Counts
from .ledger import leaves
from .logprobs import written_tokens

#: Fields of a call that are read where other fields of their object are kept.
_OF_CALLS: Final = ("toolUse.name", "function.name", "functionCall.name")
#: How a text stands in an object: as ``write_json`` writes what is not JSON.
_OBJECT: Final = ('{"_raw": "', '"}')
_MEDIA: Final = (ImagePart, AudioPart, FilePart)


class Report:
    """The losses of a stream by their leaves; ``number`` is that of the chunk being converted.

    ``names`` are what the source calls the neutral fields of the head, ``counts`` where it states tokens.

    >>> report = Report()
    >>> report.number = 3
    >>> report.lose("field-dropped", Event("more", at=".delta"), "signature")
    >>> report.losses
    [Loss(path='$[3].delta.signature', kind='field-dropped', detail='')]
    """

    def __init__(self) -> None:
        self.losses: list[Loss] = []
        self.number: int | None = None
        self.names: Mapping[str, str] = {}
        self.counts: Counts = CHAT
        self._told: set[tuple[str, str]] = set()
        self._counted: set[str] = set()

    def taken(self) -> list[Loss]:
        """Return the losses since the last call."""
        found, self.losses[:] = [*self.losses], []
        return found

    def path(self, event: Event, name: str = "") -> str:
        """Return where in the source an event stands, or a field of it."""
        root = "$" if self.number is None else f"$[{self.number}]"
        at = event.at if event.at.startswith("$") else f"{root}{event.at}"
        return f"{at}.{name}" if name else at

    def lose(self, kind: str, event: Event, name: str = "", detail: str = "") -> None:
        """Report a loss of an event, or of a field of it."""
        self.lose_at(self.path(event, name), kind, detail)

    def lose_at(self, path: str, kind: str, detail: str = "") -> None:
        """Report a loss; of paths that differ only in their numbers the first."""
        key = (kind, re.sub(r"\[\d+\]", "", path))
        if key not in self._told:
            self._told.add(key)
            self.losses.append(Loss(path, kind, detail))

    def lose_fields(self, event: Event, *, kept: Iterable[str] = ()) -> None:
        """Report every field of an event's value that says something."""
        fields = {name: value for name, value in (event.value or {}).items() if name not in kept}
        if event.name and event.kind == "more":
            self.lose("field-dropped", event)
            return
        for path, _ in leaves(fields, self.path(event), _OF_CALLS):
            self.lose_at(path, "field-dropped")

    def lose_part(self, event: Event) -> None:
        """Report a part that came whole, each of them."""
        kind = "media-dropped" if isinstance(event.value, _MEDIA) else "field-dropped"
        self.losses.append(Loss(self.path(event), kind, ""))

    def lose_counts(self, event: Event, target: Counts) -> None:
        """Report the tokens that the target has no count for; those of the start are told there."""
        known = {self.counts.paths[name] for name in self.counts.paths if name in target.paths} | {self.counts.total}
        for path, value in leaves(event.value.server or {}, "", self.counts.paths.values()):
            leaf = path[1:]
            if value != 0 and leaf not in known and leaf not in self._counted:
                self.lose("field-dropped", event, leaf)
            if event.name:
                self._counted.add(leaf)


class EventWriter:
    """Feed it events, get those of an API. ``losses`` grows by what the API cannot say."""

    answers: ClassVar[Answers]
    has_choices: ClassVar[bool] = False
    #: Whether a reasoning that another API made is written, and a call whose input is a text.
    takes_reasoning: ClassVar[bool] = False
    takes_texts: ClassVar[bool] = False
    #: Whether log probabilities stand beside the pieces of a text, and what each token has there.
    takes_logprobs: ClassVar[bool] = False
    has_whole_tokens: ClassVar[bool] = False
    has_bytes: ClassVar[bool] = True

    def __init__(self, request: Mapping[str, Any] | None = None) -> None:
        self.report = Report()
        self.losses = self.report.losses
        self.request = request or {}
        self.head: dict[str, Any] = {}
        self.end: str | None = None
        self.end_event: Event | None = None
        self.usage: Usage | None = None
        self.failed = False
        self._texts: set[tuple[int, int]] = set()  # calls whose input is a text

    def feed(self, event: Event) -> list[dict[str, Any]]:
        """Take an event; return what it makes."""
        kind = event.kind
        if kind == "head":
            return self._head(event)
        if kind == "usage":
            self.report.lose_counts(event, self.answers.counts)
            self.usage = event.value if event.name is None else self.usage
            return []
        if kind == "error":
            self.failed = True
            return self.write_error(event.value)
        if event.choice and not self.has_choices:
            self.report.lose("message-dropped", event, detail=f"{self.answers.name} gives one reply")
            return []
        return self._of_reply(event)

    def _of_reply(self, event: Event) -> list[dict[str, Any]]:
        kind = event.kind
        if kind == "finish":
            if event.text == "function_call":
                self.report.lose("renamed", event, detail="a function is a tool")
                event = event._replace(text="tool_calls")
            return self.write_end(event)
        if kind == "start" and event.text not in ("", "assistant"):
            self.report.lose("role-changed", event, detail=f"{event.text} became assistant")
        if kind == "other" and END in event.value:
            self.end_event = event._replace(text=str(event.value[END].get("is") or ""), at=self.report.path(event))
        if kind in ("more", "other"):
            self.report.lose_fields(event)
            return []
        if kind == "reasoning" and not self.takes_reasoning:
            self.report.lose("reasoning-dropped", event, detail=f"{self.answers.name} takes back what it signed")
            return []
        if kind == "text" and event.value is not None and not self.takes_logprobs:
            self.report.lose("field-dropped", event, detail="log probabilities")
        if kind == "refusal":
            return self._refusal(event)
        if kind == "call":
            self.report.lose_fields(event, kept=("type",))
            event = event if self.takes_texts else self._as_json(event)
        if kind == "part":
            return self.write_part(event)
        return self.write(event)

    def _as_json(self, event: Event) -> Event:
        """Return a piece of a call as JSON: an input that is a text stands in an object."""
        key = (event.choice, event.call)
        begins = (event.value or {}).get("type") == "custom" and key not in self._texts
        if begins:
            self._texts.add(key)
            self.report.lose("substituted", event, detail="its input is a text and becomes an object")
        if key not in self._texts:
            return event
        opening, _ = _OBJECT if begins else ("", "")
        return event._replace(text=opening + json.dumps(event.text, ensure_ascii=False)[1:-1])

    def rest_of(self, call: int, choice: int = 0) -> str:
        """Return what ends the arguments of a call."""
        return _OBJECT[1] if (choice, call) in self._texts else ""

    def tokens(self, event: Event) -> list[dict[str, Any]]:
        """Return the tokens of a piece of a text with their log probabilities, none where they are not known."""
        if not event.value:
            return []
        losses: list[Loss] = []
        how = {"whole": self.has_whole_tokens, "bytes_too": self.has_bytes}
        found = written_tokens(event.value, self.report.path(event), losses, **how)
        for path, kind, detail in losses:
            self.report.lose_at(path, kind, detail)
        return found

    def _refusal(self, event: Event) -> list[dict[str, Any]]:
        if event.text:
            self.report.lose("substituted", event, detail="the refusal is a text")
        return self.write(event._replace(kind="text"))

    def _head(self, event: Event) -> list[dict[str, Any]]:
        rows = {row.to for row in self.answers.head}
        for name in HEAD:
            if (value := event.value.get(name)) is not None:
                self.head[name] = value
                if name not in rows:
                    self.report.lose("field-dropped", event, self.report.names.get(name, name))
        self.report.lose_fields(event, kept=(*HEAD, "object", "type"))
        return self.write_head()

    def made(self, name: str, value: Any) -> Any:
        """Return a field of the head, or a value in its place where the API always has one and nothing is known."""
        known = self.head.get(name)
        if known is None:
            self.report.lose_at("$", "synthesised", f"{self.answers.name} always says {name}")
        return value if known is None else known

    def write_head(self) -> list[dict[str, Any]]:
        """Return what opens the stream, once something is known of it."""
        return []

    def write(self, event: Event) -> list[dict[str, Any]]:
        """Return what a piece of a reply makes: a text, a reasoning, a call, or its beginning."""
        raise NotImplementedError

    def write_part(self, event: Event) -> list[dict[str, Any]]:
        """Return what a part makes that came whole."""
        self.report.lose_part(event)
        return []

    def write_end(self, event: Event) -> list[dict[str, Any]]:
        """Take why the reply ended."""
        self.end, self.end_event = event.text, event._replace(at=self.report.path(event))
        return []

    def write_error(self, error: Any) -> list[dict[str, Any]]:
        """Return what tells an error."""
        return [{"error": error}]

    def finish(self) -> list[dict[str, Any]]:
        """Return what ends the stream: nothing where the source has no end."""
        return [] if self.failed or self.end_event is None else self.close()

    def close(self) -> list[dict[str, Any]]:
        """Return what ends a whole stream."""
        return []

    def word(self, event: Event | None) -> str | None:
        """Return the API's word for an end; where it has none, for one that is over."""
        if event is None:
            return None
        end = event.text if event.kind == "finish" else None
        word = self.answers.word_for(end)
        if word is None:
            self.report.lose("substituted", event, detail=f"{self.answers.name} has no {event.text!r}")
        return word or self.answers.word_for("stop")


class BlockWriter(EventWriter):
    """Writes a reply as blocks that begin, grow and end: Anthropic and Bedrock."""

    def __init__(self, request: Mapping[str, Any] | None = None) -> None:
        super().__init__(request)
        self._begun = False
        self._count = 0
        self._open: dict[Any, int] = {}

    def write_head(self) -> list[dict[str, Any]]:
        return self._begin()

    def _begin(self) -> list[dict[str, Any]]:
        if self._begun:
            return []
        self._begun = True
        return self.opening()

    def write(self, event: Event) -> list[dict[str, Any]]:
        made = self._begin()
        if event.kind == "start" or (event.kind != "call" and not event.text):
            return made
        block = (event.kind, event.call)
        if block not in self._open:
            made += self._close(calls=event.kind != "call")
            self._open[block] = self._count
            self._count += 1
            made += self.start(self._open[block], event.kind, event)
        return [*made, *(self.delta(self._open[block], event.kind, event.text) if event.text else [])]

    def _close(self, *, calls: bool) -> list[dict[str, Any]]:
        """End the blocks that are open; pieces of a call may still come where other calls begin."""
        made: list[dict[str, Any]] = []
        for kind, number in [block for block in self._open if calls or block[0] != "call"]:
            index = self._open.pop((kind, number))
            rest = self.rest_of(number) if kind == "call" else ""
            made += [*(self.delta(index, kind, rest) if rest else []), *self.stop(index)]
        return made

    def close(self) -> list[dict[str, Any]]:
        return [*self._begin(), *self._close(calls=True), *self.closing(self.word(self.end_event))]

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

    def stop(self, index: int) -> list[dict[str, Any]]:
        """Return what ends a block."""
        raise NotImplementedError

    def closing(self, word: str | None) -> list[dict[str, Any]]:
        """Return what closes a message."""
        raise NotImplementedError
