"""Streams of Anthropic Messages: events in, neutral events out, and back.

Rule: a block is a part with its number. Texts, thinking and calls come in pieces; a block of any other
kind is kept until it is whole. The tokens are told at the end, with those that were stated at the start.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ...errors import FormatError
from ...model import FrozenMap, OtherPart, thaw
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
        self.over = False  # the last event has come

    def feed(self, event: Mapping[str, Any]) -> list[Event]:
        """Take an event. Raises FormatError where it is malformed."""
        kind = event.get("type")
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
        self._usage |= message.get("usage") or {}
        beside = ("content", "usage", "type", "role", "stop_reason", "stop_sequence")
        head = {name: value for name, value in message.items() if name not in beside}
        return [Event("head", name="anthropic", value=head), Event("start", text="assistant")]

    def _begin(self, index: int, block: dict[str, Any]) -> list[Event]:
        self._blocks[index], self._json[index] = block, []
        if known := _KINDS.get(str(block.get("type"))):
            kind, name = known
            more = {key: value for key, value in block.items() if key not in ("type", name) and value not in (None, "")}
            text = str(block.get(name) or "")
            found = [Event(kind, text=text, call=index)] if text else []  # type: ignore[arg-type]
            return [*found, *([Event("more", call=index, value=more)] if more and found else [])]
        if block.get("type") == "tool_use":
            number = self._calls[index] = len(self._calls)
            more = {key: value for key, value in block.items() if key not in ("type", "id", "name", "input")}
            return [Event("call", call=number, id=block.get("id"), name=block.get("name"), value=more)]
        return []

    def _grow(self, index: int, delta: Mapping[str, Any]) -> list[Event]:
        kind, block = delta.get("type"), self._blocks.get(index, {})
        text = delta.get(_PIECES.get(str(kind), ""))
        if kind == "input_json_delta" and isinstance(text, str):
            self._json[index].append(text)
            return [Event("call", text=text, call=self._calls[index])] if index in self._calls and text else []
        if isinstance(text, str):
            return [Event("text" if kind == "text_delta" else "reasoning", text=text, call=index)]
        if kind == "signature_delta":
            return [Event("more", call=index, value={"signature": delta.get("signature")})]
        if kind == "citations_delta":
            return [Event("more", call=index, value={"citations": [delta.get("citation")]})]
        block |= {name: value for name, value in delta.items() if name != "type"}
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
        return [Event("part", value=OtherPart(FrozenMap(block), "anthropic"))]

    def _end(self, event: Mapping[str, Any]) -> list[Event]:
        delta = dict(_object(event, "delta"))
        stated = event.get("usage") or {}
        self._usage |= {name: value for name, value in stated.items() if value is not None or name not in self._usage}
        end, note = ANSWERS.end_of(delta.pop("stop_reason", None))
        more = {name: value for name, value in delta.items() if value is not None}
        found = [Event("other", value=note)] if END in note else []
        found += [Event("head", name="anthropic", value=more)] if more else []
        found += [Event("finish", text=end)] if end else []
        return [*found, Event("usage", value=ANSWERS.counts.read(self._usage))]


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
    >>> [event["type"] for event in writer.finish()]
    ['content_block_stop', 'message_delta', 'message_stop']
    """

    answers = ANSWERS

    def opening(self) -> list[dict[str, Any]]:
        own = {name: value for name, value in self.head.items() if self.is_own and name not in ("id", "model")}
        message = {
            "id": self.head.get("id") or "msg_0",
            "type": "message",
            "role": "assistant",
            "model": self.head.get("model") or "unknown",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 0, "output_tokens": 0},
            **own,
        }
        return [{"type": "message_start", "message": message}]

    def start(self, index: int, kind: str, event: Event) -> list[dict[str, Any]]:
        blocks: dict[str, dict[str, Any]] = {
            "text": {"type": "text", "text": ""},
            "reasoning": {"type": "thinking", "thinking": "", "signature": ""},
            "call": {"type": "tool_use", "id": event.id or f"toolu_{index}", "name": event.name or "", "input": {}},
        }
        more = dict(event.value or {}) if self.is_own and kind == "call" else {}
        return [{"type": "content_block_start", "index": index, "content_block": {**blocks[kind], **more}}]

    def delta(self, index: int, kind: str, text: str) -> list[dict[str, Any]]:
        name = {"text": "text", "reasoning": "thinking", "call": "partial_json"}[kind]
        word = next(word for word, field in _PIECES.items() if field == name)
        return [{"type": "content_block_delta", "index": index, "delta": {"type": word, name: text}}]

    def further(self, index: int, kind: str, fields: Mapping[str, Any]) -> list[dict[str, Any]]:
        found = []
        for name, value in fields.items():
            if name == "signature":
                found.append({"type": "signature_delta", "signature": value})
            elif name == "citations":
                found += [{"type": "citations_delta", "citation": citation} for citation in value]
            else:
                self.lose("field-dropped", f"{name} comes too late")
        return [{"type": "content_block_delta", "index": index, "delta": delta} for delta in found]

    def stop(self, index: int) -> list[dict[str, Any]]:
        return [{"type": "content_block_stop", "index": index}]

    def whole(self, index: int, part: OtherPart) -> list[dict[str, Any]]:
        block = {"type": "content_block_start", "index": index, "content_block": thaw(part.value)}
        return [block, *self.stop(index)]

    def write_error(self, error: Any) -> list[dict[str, Any]]:
        stated = dict(error) if isinstance(error, Mapping) else {"message": str(error)}
        return [{"type": "error", "error": {**stated, "type": stated.get("type") or "api_error"}}]

    def closing(self, word: str | None) -> list[dict[str, Any]]:
        sequence = self.head.get("stop_sequence") if self.is_own else None
        usage = {} if self.usage is None else self.counts.write(self.usage, own=self.is_own)
        if not usage:
            self.lose("synthesised", "not known, and stated as 0: usage")
        delta = {"stop_reason": word, "stop_sequence": sequence}
        return [
            {"type": "message_delta", "delta": delta, "usage": usage or {"output_tokens": 0}},
            {"type": "message_stop"},
        ]
