"""Streams of Anthropic Messages: ``message_start`` … ``message_stop`` become events, and back.

Rule: a block begins, grows and stops; what is no text, thinking or call is read when it stops. A
written stream numbers its blocks anew and ends with one ``message_delta``, which states the reason
and the usage. Several calls may grow side by side: they stop together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ...errors import FormatError
from ...model import EMPTY, FrozenMap, ReasoningPart, TextPart, ToolCall, thaw
from ...response import HEAD, Event
from ..api import Reader
from ..ledger import Ledger
from ..replies import read_part, take, without, writer_of
from ..steps import StepWriter
from ..usage import read_usage, write_usage
from .request import API
from .response import SHAPE, error_body

_KINDS: Final = frozenset({
    "message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
    "message_stop", "ping", "error",
})  # fmt: skip


def is_chunk(chunk: Mapping[str, Any]) -> bool:
    """Return whether an event is one of this API's streams."""
    return chunk.get("type") in _KINDS and "sequence_number" not in chunk


class StreamReader:
    """Feed it decoded events, get neutral events.

    >>> reader = StreamReader()
    >>> block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    >>> delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}
    >>> [event.text for chunk in (block, delta) for event in reader.feed(chunk) if event.kind == "text"]
    ['Hi']
    """

    def __init__(self, tools: frozenset[str] = frozenset()) -> None:  # as every reader
        self._reader = Reader(API, Ledger())
        self._usage: dict[str, Any] = {}
        self._blocks: dict[int, dict[str, Any]] = {}  # those that are read when they stop
        self._calls: dict[int, int] = {}  # the numbers of calls by index of their blocks
        self._silent: set[int] = set()  # calls whose arguments have not begun

    def feed(self, chunk: Mapping[str, Any]) -> list[Event]:
        """Take an event. Raises FormatError where it is malformed; an event of an unknown type says nothing."""
        kind = chunk.get("type")
        if kind == "content_block_delta":
            return self._delta(_index(chunk), _object(chunk, "delta"))
        if kind == "content_block_start":
            return self._start(_index(chunk), _object(chunk, "content_block"))
        if kind == "content_block_stop":
            return self._stop(_index(chunk))
        if kind == "message_start":
            return self._message(_object(chunk, "message"))
        if kind == "message_delta":
            return self._end(_object(chunk, "delta"), chunk)
        return [Event("error", name="anthropic", value=chunk.get("error"))] if kind == "error" else []

    def _message(self, message: Mapping[str, Any]) -> list[Event]:
        rest = without({name: value for name, value in message.items() if name != "content"}, SHAPE.fixed)
        found, rest = take(SHAPE.head, rest)
        usage = found.pop("usage", None)
        rest = {name: value for name, value in rest.items() if name not in ("stop_reason", "stop_sequence")}
        events = [Event("head", name="anthropic", value=found | rest)]
        self._usage = {} if usage is None else dict(usage.server)
        events += [] if usage is None else [Event("usage", value=usage)]
        events.append(Event("start", text="assistant"))
        for index, block in enumerate(message.get("content") or ()):
            events += [*self._start(-1 - index, block), *self._stop(-1 - index)]
        return events

    def _end(self, delta: Mapping[str, Any], chunk: Mapping[str, Any]) -> list[Event]:
        events: list[Event] = []
        ends, rest = take(SHAPE.choice, dict(delta))
        rest |= {name: value for name, value in chunk.items() if name not in ("type", "delta", "usage")}
        if rest := {name: value for name, value in rest.items() if name != "stop_reason"}:
            events.append(Event("head", name="anthropic", value=rest))
        if reason := ends.get("finish_reason"):
            events.append(Event("finish", text=reason))
        if isinstance(usage := chunk.get("usage"), Mapping):
            self._usage |= {name: value for name, value in usage.items() if value is not None}
            events.append(Event("usage", value=read_usage(dict(self._usage), "anthropic")))
        return events

    def _start(self, index: int, block: Mapping[str, Any]) -> list[Event]:
        part = read_part(self._reader, block, "$.content_block")
        if isinstance(part, ToolCall):
            number = self._calls[index] = len(self._calls)
            text = "" if part.arguments == "{}" else part.arguments
            if not text:
                self._silent.add(index)
            more = {"type": part.type, **thaw(part.native.get("anthropic", EMPTY))}
            return [Event("call", 0, text, number, part.id, part.name, more)]
        if isinstance(part, TextPart | ReasoningPart):
            return [Event("part", value=part)]
        self._blocks[index] = dict(block)
        return []

    def _delta(self, index: int, delta: Mapping[str, Any]) -> list[Event]:
        kind, (name, text) = delta.get("type"), next(((k, v) for k, v in delta.items() if k != "type"), ("", ""))
        if index in self._blocks:
            held = self._blocks[index]
            held[name] = held[name] + text if isinstance(held.get(name), str) else text
            return []
        if kind in ("text_delta", "thinking_delta", "input_json_delta"):
            if not isinstance(text, str):
                raise FormatError("a delta is a text", path=f"$.delta.{name}")
            self._silent -= {index} if text else set()
            neutral: Any = {"text_delta": "text", "thinking_delta": "reasoning"}.get(kind, "call")
            return [Event(neutral, 0, text, self._calls.get(index, 0))]
        return [Event("other", name="part", value=_of_part(kind, delta))]

    def _stop(self, index: int) -> list[Event]:
        if index in self._silent:  # a call without arguments
            self._silent.remove(index)
            return [Event("call", 0, "{}", self._calls[index])]
        block = self._blocks.pop(index, None)
        if block is None:
            return []
        if isinstance(text := block.pop("partial_json", None), str) and text:
            block["input"] = _json(text)
        return [Event("part", value=read_part(self._reader, block, "$"))]


def _of_part(kind: Any, delta: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a delta adds to the part that grows: citations come one at a time."""
    rest = {name: value for name, value in delta.items() if name != "type"}
    return {"citations": [rest["citation"]]} if kind == "citations_delta" and "citation" in rest else rest


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise FormatError("the input of a block is not JSON", path="$.delta.partial_json") from None


def _index(chunk: Mapping[str, Any]) -> int:
    index = chunk.get("index")
    if isinstance(index, bool) or not isinstance(index, int):
        raise FormatError("the index of a block is a number", path="$.index")
    return index


def _object(chunk: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = chunk.get(name)
    if not isinstance(value, Mapping):
        raise FormatError(f"{name} is an object", path=f"$.{name}")
    return value


class StreamWriter(StepWriter):
    """Feed it events, get decoded events of Anthropic. ``losses`` grows by what it cannot say.

    >>> writer = StreamWriter()
    >>> [event["type"] for event in writer.feed(Event("text", text="Hi"))]
    ['message_start', 'content_block_start', 'content_block_delta']
    """

    shape = SHAPE

    def __init__(self, request: Mapping[str, Any] | None = None) -> None:
        super().__init__(request)
        self._begun = False
        self._count = 0
        self._open: list[int] = []  # indices of blocks that have not stopped
        self._kind = ""  # what the last open block grows by
        self._blocks: dict[int, dict[str, Any]] = {}  # of calls, by number, as far as they are known
        self._indices: dict[int, int] = {}  # of the blocks of calls that have begun

    def _start(self) -> list[dict[str, Any]]:
        if self._begun:
            return []
        self._begun = True
        message = {**SHAPE.fixed, "content": [], **SHAPE.required, **self.body()}
        return [{"type": "message_start", "message": message}]

    def _stop(self) -> list[dict[str, Any]]:
        """Stop what is open; a call whose name was still growing is written first."""
        waiting = [number for number in self._blocks if number not in self._indices]
        made = [start for number in waiting for start in self._begin_call(number)]
        made += self._shut()
        self._kind = ""
        return made

    def _begin(self, block: dict[str, Any], kind: str) -> list[dict[str, Any]]:
        before = [*self._start(), *self._stop()]
        self._kind = kind
        return [*before, self._opened(block)]

    def _begin_call(self, number: int) -> list[dict[str, Any]]:
        before = [] if self._kind in ("tool_use", "") else self._shut()
        self._kind, self._indices[number] = "tool_use", self._count
        block = self._blocks[number]
        return [*self._start(), *before, self._opened({**block, "id": block["id"] or f"toolu_{number}"})]

    def _shut(self) -> list[dict[str, Any]]:
        indices, self._open = self._open, []
        return [{"type": "content_block_stop", "index": index} for index in indices]

    def _opened(self, block: dict[str, Any]) -> dict[str, Any]:
        index, self._count = self._count, self._count + 1
        self._open.append(index)
        return {"type": "content_block_start", "index": index, "content_block": block}

    def _delta(self, index: int, **delta: Any) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": index, "delta": delta}

    def on_start(self, event: Event) -> list[dict[str, Any]]:  # every handler takes its event
        """Begin the message."""
        return self._start()

    def on_text(self, event: Event) -> list[dict[str, Any]]:
        """Write a piece of text."""
        if not event.text:
            return []
        before = [] if self._kind == "text" else self._begin({"type": "text", "text": ""}, "text")
        return [*before, self._delta(self._open[-1], type="text_delta", text=event.text)]

    def on_reasoning(self, event: Event) -> list[dict[str, Any]]:
        """Write a piece of thinking."""
        if not event.text:
            return []
        block = {"type": "thinking", "thinking": "", "signature": ""}
        before = [] if self._kind == "thinking" else self._begin(block, "thinking")
        return [*before, self._delta(self._open[-1], type="thinking_delta", thinking=event.text)]

    def on_call(self, event: Event) -> list[dict[str, Any]]:
        """Write a piece of a call; its block begins as soon as its name is whole."""
        number, made = event.call, list[dict[str, Any]]()
        if number not in self._indices:
            self._know(event)
            made = self._begin_call(number) if event.text else []
        if not event.text:
            return made
        return [*made, self._delta(self._indices[number], type="input_json_delta", partial_json=event.text)]

    def _know(self, event: Event) -> None:
        block = self._blocks.setdefault(event.call, {"type": "tool_use", "id": "", "name": "", "input": {}})
        block["id"], block["name"] = block["id"] or event.id or "", block["name"] + (event.name or "")
        more = dict(event.value or {})
        if (kind := more.pop("type", "function")) != "function":
            self.lose("type", "substituted", f"a call of type {kind} became tool_use")
        if self.is_own:
            block |= more
        else:
            self.on_other(Event("other", value=more))

    def on_part(self, event: Event) -> list[dict[str, Any]]:
        """Write a part that comes whole, or the beginning of one that grows."""
        part = event.value
        if isinstance(part, ReasoningPart) and "signature" not in part.native.get("anthropic", EMPTY):
            part = replace(part, native=FrozenMap({**part.native, "anthropic": {"signature": ""}}))
        text = part.text if isinstance(part, TextPart | ReasoningPart) else ""
        block = writer_of(SHAPE, self.ledger).part(replace(part, text="") if text else part)
        if block is None:
            return []
        made = self._begin(block, block["type"])
        if text:
            more = self.on_text if isinstance(part, TextPart) else self.on_reasoning
            return [*made, *more(Event("text", text=text))]
        return made

    def on_other(self, event: Event) -> list[dict[str, Any]]:
        """Write what is added to a block: its signature, its citations."""
        if not self.is_own or event.name != "part" or not self._open:
            return super().on_other(event)
        made = []
        for name, value in event.value.items():
            if name == "citations":
                made += [self._delta(self._open[-1], type="citations_delta", citation=one) for one in value]
            else:
                made.append(self._delta(self._open[-1], type=f"{name}_delta", **{name: value}))
        return made

    def on_error(self, event: Event) -> list[dict[str, Any]]:
        """Write an error, after which nothing comes."""
        return [error_body(event.value, event.name == "anthropic")]

    def finish(self) -> list[dict[str, Any]]:
        """Write the end of the message."""
        found = self.body()
        ends = {name: value for name, value in found.items() if name not in (*HEAD, *SHAPE.fixed, "usage")}
        delta: dict[str, Any] = {"stop_reason": None, "stop_sequence": None}
        if reason := self.ends.get(0):
            delta["stop_reason"] = SHAPE.choice[0].write(reason) if SHAPE.choice[0].write else reason
        delta |= {name: ends[name] for name in ("stop_sequence", "stop_details", "container") if name in ends}
        usage = write_usage(self.usage, "anthropic") if self.usage else {"output_tokens": 0}
        end = {"type": "message_delta", "delta": delta, "usage": usage}
        return [*self._start(), *self._stop(), end, {"type": "message_stop"}]
