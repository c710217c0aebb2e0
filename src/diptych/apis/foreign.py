"""What Chat and Completions take over of a response of another message API, whole and streamed.

Rule: texts, reasoning, refusals and calls are said by both sides; what another API alone says stays
behind and is reported. Chat has one text, which stands before the calls: texts are joined (``merged``)
and a text after a call moves (``reordered``). The signature of a reasoning never goes along.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from ..model import EMPTY, FrozenMap, Message, Part, ReasoningPart, RefusalPart, TextPart, ToolCall
from ..response import GROWING, HEAD, Event, Response, ResponseChoice, Usage
from .ledger import Ledger, leaves
from .replies import error_of, nearest
from .usage import not_written

#: APIs that share the shape of Chat.
CHAT: Final = frozenset({"chat", "completions"})
#: The words for the end of a reply that the APIs have.
FINISH: Final[Mapping[str, Mapping[str, str]]] = {
    "chat": {name: name for name in ("stop", "length", "tool_calls", "content_filter", "function_call")},
    "completions": {name: name for name in ("stop", "length", "content_filter")},
}
_RANKS: Final[Mapping[type, int]] = {ReasoningPart: 0, TextPart: 1, ToolCall: 2, RefusalPart: 3}


def is_foreign(native: Iterable[str]) -> bool:
    """Return whether a value comes from an API that does not share the shape of Chat."""
    return not CHAT.issuperset(native)


def native_response(response: Response, api: str, ledger: Ledger) -> Response:
    """Return a response of another API as Chat or Completions can write it."""
    if not is_foreign(response.native):
        return response
    _lose(response, response.native, ledger)
    if response.usage is not None:
        for path in not_written(response.usage, api):
            ledger.report(path, "field-dropped")
    choices = tuple(_choice(choice, api, ledger) for choice in response.choices)
    error = None if response.error is None else error_of(response.error)
    made = replace(response, choices=choices, native=EMPTY, error=error)
    ledger.same(made, response)
    return made


def _lose(value: Response | ResponseChoice | Message, native: FrozenMap, ledger: Ledger) -> None:
    for fields in native.values():
        ledger.lose_natives(value, fields)


def _choice(choice: ResponseChoice, api: str, ledger: Ledger) -> ResponseChoice:
    _lose(choice, choice.native, ledger)
    finish = choice.finish_reason and nearest(FINISH[api], choice.finish_reason)
    if finish != choice.finish_reason:
        ledger.lose(choice, "finish_reason", "substituted", f"{choice.finish_reason} became {finish}")
    _lose(choice.message, choice.message.native, ledger)
    parts = tuple(_parts(choice.message.parts, ledger))
    message = Message.of(choice.message.role, parts or (TextPart(""),))
    made = replace(choice, message=message, finish_reason=finish, native=EMPTY)
    ledger.same(made, choice)
    return made


def _parts(parts: Iterable[Part], ledger: Ledger) -> Iterator[Part]:
    last, has_text = 0, False
    for part in parts:
        rank = _RANKS.get(type(part))
        if rank is None:
            ledger.lose(part)
            continue
        if rank < last:
            ledger.lose(part, kind="reordered", detail="Chat has reasoning, text and calls in this order")
        elif rank == 1 and has_text:
            ledger.lose(part, kind="merged", detail="Chat has one text")
        last, has_text = max(last, rank), has_text or rank == 1
        yield _bare(part, ledger)


def _bare(part: Any, ledger: Ledger) -> Any:
    if not part.native:
        return part
    for fields in part.native.values():
        ledger.lose_natives(part, fields)
    made = replace(part, native=EMPTY)
    ledger.same(made, part)
    return made


class NativeEvents:
    """Feed it events of another API, get those that Chat or Completions can write."""

    def __init__(self, api: str, ledger: Ledger) -> None:
        self.api, self.ledger, self.is_foreign, self._has_text = api, ledger, False, False
        self.usage: Usage | None = None  # the last one: a stream of Chat states it once, at its end

    def feed(self, event: Event) -> Event | None:
        """Return an event as the target can say it, None where nothing of it is left."""
        if event.kind == "head":
            self.is_foreign = event.name is not None and is_foreign([event.name])
            if self.is_foreign:
                self._lose({name: value for name, value in event.value.items() if name not in HEAD})
                event = Event("head", value={name: value for name, value in event.value.items() if name in HEAD})
                if self.api == "chat":
                    event.value.setdefault("created", 0)  # its SDK requires a time
        if not self.is_foreign:
            return event
        step = {
            "part": self._part, "call": self._call, "other": self._other, "finish": self._finish,
            "usage": self._usage, "error": _error,
        }.get(event.kind)  # fmt: skip
        return step(event) if step else event

    def _lose(self, fields: Mapping[str, object]) -> None:
        for path, _ in leaves(fields, "$"):
            self.ledger.report(path, "field-dropped")

    def _part(self, event: Event) -> Event | None:
        part, kind = event.value, GROWING.get(type(event.value))
        if kind is None:
            self.ledger.lose(part)
            return None
        for fields in part.native.values():
            self._lose(fields)
        if kind == "text" and self._has_text:
            self.ledger.report("$", "merged", "Chat has one text")
        self._has_text = self._has_text or kind == "text"
        return event._replace(kind=kind, text=part.text, value=None)

    def _call(self, event: Event) -> Event:
        more = dict(event.value or {})
        kind = {"type": more.pop("type")} if "type" in more else None
        self._lose(more)
        return event._replace(value=kind)

    def _other(self, event: Event) -> None:
        self._lose(event.value)

    def _finish(self, event: Event) -> Event:
        finish = nearest(FINISH[self.api], event.text)
        if finish != event.text:
            self.ledger.report("$", "substituted", f"{event.text} became {finish}")
        return event._replace(text=finish)

    def _usage(self, event: Event) -> None:
        for path in not_written(event.value, self.api):
            self.ledger.report(path, "field-dropped")
        self.usage = event.value


def _error(event: Event) -> Event:
    return event._replace(value=error_of(event.value))
