"""Streams of Anthropic Messages: events in, neutral events out, and back.

Rule: a block is a part with its number. Texts, thinking and calls come in pieces; a block of any other
kind is kept until it is whole. The tokens are told at the end, with those that were stated at the start.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ...errors import FormatError
from ...model import FrozenMap, OtherPart
from ...response import Event
from ..answers import END
from ..writers import BlockWriter
from .response import ANSWERS

_PIECES: Final = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
_KINDS: Final = {"text": ("text", "text"), "thinking": ("reasoning", "thinking")}


class StreamReader:
    """Feed it the events of a stream, get neutral events.

    >>> reader = StreamReader()
    >>> block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "Hi"}}
    >>> [event.text for event in reader.feed(block)]
    ['Hi']
    """

    def __init__(self, tools: frozenset[str] = frozenset()) -> None:  # as every reader
        self._blocks: dict[int, dict[str, Any]] = {}
        self._json: dict[int, list[str]] = {}
        self._calls: dict[int, int] = {}
        self._usage: dict[str, Any] = {}
        self._places: dict[int, str] = {}
        self._number = -1
        self.over = False  # the last event has come

    def feed(self, event: Mapping[str, Any]) -> list[Event]:
        """Take an event. Raises FormatError where it is malformed."""
        kind = event.get("type")
        self._number += 1
        if kind == "message_start":
            return self._start(_object(event, "message"))
        if kind == "content_block_start":
            return self._begin(_index(event), dict(_object(event, "content_block")))
        if kind == "content_block_delta":
            return self._grow(_index(event), _object(event, "delta"))
        if kind == "content_block_stop":
            return self._stop(_index(event))
        if kind == "message_delta":
            return self._end(event)
        self.over = self.over or kind == "message_stop"
        if kind == "error":
            return [Event("error", value=event.get("error"))]
        return []

    def _start(self, message: Mapping[str, Any]) -> list[Event]:
        stated = message.get("usage") or {}
        self._usage |= stated
        beside = ("content", "usage", "type", "role", "stop_reason", "stop_sequence")
        head = {name: value for name, value in message.items() if name not in beside}
        found = [Event("head", name="anthropic", value=head, at=".message"), Event("start", text="assistant")]
        usage = Event("usage", name="start", value=ANSWERS.counts.read(stated), at=".message.usage")
        return [*found, usage] if stated else found

    def _begin(self, index: int, block: dict[str, Any]) -> list[Event]:
        self._blocks[index], self._json[index] = block, []
        self._places[index] = f"$[{self._number}].content_block"
        if known := _KINDS.get(str(block.get("type"))):
            kind, name = known
            more = {key: value for key, value in block.items() if key not in ("type", name) and value not in (None, "")}
            text = str(block.get(name) or "")
            found = [Event(kind, text=text, call=index, at=f".content_block.{name}")] if text else []  # type: ignore[arg-type]
            return [*found, *([Event("more", call=index, value=more, at=".content_block")] if more else [])]
        if block.get("type") == "tool_use":
            number = self._calls[index] = len(self._calls)
            more = {key: value for key, value in block.items() if key not in ("type", "id", "name", "input")}
            return [Event("call", 0, "", number, block.get("id"), block.get("name"), more, ".content_block")]
        return []

    def _grow(self, index: int, delta: Mapping[str, Any]) -> list[Event]:
        kind, block = delta.get("type"), self._blocks.get(index, {})
        name = _PIECES.get(str(kind), "")
        text = delta.get(name)
        if kind == "input_json_delta" and isinstance(text, str):
            self._json[index].append(text)
            return [Event("call", text=text, call=self._calls[index])] if index in self._calls and text else []
        if isinstance(text, str):
            return [Event("text" if kind == "text_delta" else "reasoning", text=text, call=index, at=f".delta.{name}")]
        if kind == "citations_delta":
            value = {"citations": [delta.get("citation")]}
            return [Event("more", call=index, name="citation", value=value, at=".delta.citation")]
        more = {name: value for name, value in delta.items() if name != "type"}
        if block.get("type") in _KINDS:
            return [Event("more", call=index, value=more, at=".delta")]
        block |= more
        return []

    def _stop(self, index: int) -> list[Event]:
        block = self._blocks.pop(index, None)
        if block is None or block.get("type") in _KINDS:
            return []
        pieces = self._json.pop(index, [])
        if index in self._calls:
            text = "" if any(pieces) else json.dumps(block.get("input") or {}, ensure_ascii=False)
            return [Event("call", text=text, call=self._calls[index])] if text else []
        if any(pieces):
            block["input"] = _json_of("".join(pieces))
        return [Event("part", value=OtherPart(FrozenMap(block), "anthropic"), at=self._places[index])]

    def _end(self, event: Mapping[str, Any]) -> list[Event]:
        delta = dict(_object(event, "delta"))
        stated = event.get("usage") or {}
        self._usage |= {name: value for name, value in stated.items() if value is not None or name not in self._usage}
        end, note = ANSWERS.end_of(delta.pop("stop_reason", None))
        more = {name: value for name, value in delta.items() if value is not None}
        at = ".delta.stop_reason"
        found = [Event("other", value=note, at=at)] if END in note else []
        found += [Event("head", name="anthropic", value=more, at=".delta")] if more else []
        found += [Event("finish", text=end, at=at)] if end else []
        return [*found, Event("usage", value=ANSWERS.counts.read(self._usage), at=".usage")]


def _object(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = event.get(name)
    if not isinstance(found, Mapping):
        raise FormatError(f"an event {event.get('type')} has a {name}", path=f"$.{name}")
    return found


def _index(event: Mapping[str, Any]) -> int:
    index = event.get("index")
    if type(index) is not int:
        raise FormatError("an event of a block has its index", path="$.index")
    return index


def _json_of(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


class StreamWriter(BlockWriter):
    """Feed it neutral events, get those of Anthropic.

    >>> writer = StreamWriter()
    >>> [event["type"] for event in writer.feed(Event("text", text="Hi"))]
    ['message_start', 'content_block_start', 'content_block_delta']
    >>> _ = writer.feed(Event("finish", text="stop"))
    >>> [event["type"] for event in writer.finish()]
    ['content_block_stop', 'message_delta', 'message_stop']
    """

    answers = ANSWERS

    def opening(self) -> list[dict[str, Any]]:
        message = {
            "id": self.made("id", "msg_0"),
            "type": "message",
            "role": "assistant",
            "model": self.made("model", "unknown"),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 0, "output_tokens": 0},
        }
        return [{"type": "message_start", "message": message}]

    def start(self, index: int, kind: str, event: Event) -> list[dict[str, Any]]:
        blocks: dict[str, dict[str, Any]] = {
            "text": {"type": "text", "text": ""},
            "call": {"type": "tool_use", "id": event.id or f"toolu_{index}", "name": event.name or "", "input": {}},
        }
        return [{"type": "content_block_start", "index": index, "content_block": blocks[kind]}]

    def delta(self, index: int, kind: str, text: str) -> list[dict[str, Any]]:
        name = {"text": "text", "call": "partial_json"}[kind]
        word = next(word for word, field in _PIECES.items() if field == name)
        return [{"type": "content_block_delta", "index": index, "delta": {"type": word, name: text}}]

    def stop(self, index: int) -> list[dict[str, Any]]:
        return [{"type": "content_block_stop", "index": index}]

    def write_error(self, error: Any) -> list[dict[str, Any]]:
        stated = dict(error) if isinstance(error, Mapping) else {"message": str(error)}
        return [{"type": "error", "error": {**stated, "type": stated.get("type") or "api_error"}}]

    def closing(self, word: str | None) -> list[dict[str, Any]]:
        usage = {} if self.usage is None else self.answers.counts.write(self.usage, own=False)
        if not usage:
            self.report.lose_at("$", "synthesised", "not known, and stated as 0: usage")
        end = {"stop_reason": word, "stop_sequence": None}
        last = {"type": "message_delta", "delta": end, "usage": usage or {"output_tokens": 0}}
        return [last, {"type": "message_stop"}]
