"""Streams of Ollama: lines of JSON in, neutral events out, and back.

Rule: every line holds a piece of the message; calls come whole; the last line says why it ended and the tokens.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ...model import ImagePart, ToolCall
from ...response import Event
from ..answers import END
from ..values import write_json
from ..writers import EventWriter
from .response import ANSWERS, written_time

_OF_MESSAGE: Final = frozenset({"role", "content", "thinking", "tool_calls"})


class StreamReader:
    """Feed it lines, get neutral events.

    >>> line = {"model": "m", "message": {"role": "assistant", "content": "Hi"}, "done": False}
    >>> [event.kind for event in StreamReader().feed(line)]
    ['head', 'start', 'text']
    """

    def __init__(self, tools: frozenset[str] = frozenset()) -> None:  # as every reader
        self._begun = False
        self._calls = 0
        self.over = False  # the last line has come

    def feed(self, line: Mapping[str, Any]) -> list[Event]:
        """Take a line."""
        if "error" in line:
            return [Event("error", value=line["error"])]
        found: list[Event] = []
        if not self._begun:
            self._begun = True
            head = {"model": line.get("model"), "created": ANSWERS.head[1].read(str(line.get("created_at", "")))}  # type: ignore[misc]
            head = {name: value for name, value in head.items() if value is not None}
            found = [Event("head", name="ollama", value=head), Event("start", text="assistant")]
        message = line.get("message")
        if isinstance(message, Mapping):
            found += self._message(message)
        self.over = bool(line.get("done"))
        return [*found, *(self._end(line) if self.over else [])]

    def _message(self, message: Mapping[str, Any]) -> list[Event]:
        found = [
            Event(kind, text=text)  # type: ignore[arg-type]
            for kind, text in (("reasoning", message.get("thinking")), ("text", message.get("content")))
            if isinstance(text, str) and text
        ]
        for call in message.get("tool_calls") or ():
            function = call.get("function", {})
            text = json.dumps(function.get("arguments") or {}, ensure_ascii=False)
            id_ = call.get("id") or f"call_{self._calls}"
            found.append(Event("call", text=text, call=self._calls, id=id_, name=function.get("name")))
            self._calls += 1
        more = {name: value for name, value in message.items() if name not in _OF_MESSAGE and value}
        return [*found, *([Event("other", name="message", value=more)] if more else [])]

    def _end(self, line: Mapping[str, Any]) -> list[Event]:
        end, note = ANSWERS.end_of(line.get("done_reason"))
        found = [Event("other", value=note)] if END in note else []
        beside = ("model", "created_at", "message", "done", "done_reason", *ANSWERS.counts.paths.values())
        more = {name: value for name, value in line.items() if name not in beside and value is not None}
        found += [Event("head", name="ollama", value=more)] if more else []
        if end:
            found.append(Event("finish", text="tool_calls" if end == "stop" and self._calls else end))
        counts = {name: line[name] for name in ANSWERS.counts.paths.values() if name in line}
        return [*found, *([Event("usage", value=ANSWERS.counts.read(counts))] if counts else [])]


class StreamWriter(EventWriter):
    """Feed it neutral events, get lines.

    >>> writer = StreamWriter()
    >>> [line["message"]["content"] for line in writer.feed(Event("text", text="Hi"))]
    ['Hi']
    """

    answers = ANSWERS

    def __init__(self, request: Mapping[str, Any] | None = None) -> None:
        super().__init__(request)
        self._calls: dict[int, list[str]] = {}
        self._ids: dict[int, tuple[str | None, str]] = {}
        self._word: str | None = None

    def write(self, event: Event) -> list[dict[str, Any]]:
        kind = event.kind
        if event.value is not None and kind == "text":
            self.lose("field-dropped", "log probabilities")
        if kind == "reasoning" and event.text:
            return [self._line({"content": "", "thinking": event.text})]
        if kind in ("text", "refusal") and event.text:
            if kind == "refusal":
                self.lose("substituted", "the refusal is a text")
            return [self._line({"content": event.text})]
        if kind == "call":
            id_, name = self._ids.get(event.call, (None, ""))
            self._ids[event.call] = (id_ or event.id, name + (event.name or ""))
            self._calls.setdefault(event.call, []).append(event.text)
        elif kind == "part":
            self.lose("media-dropped" if isinstance(event.value, ImagePart) else "field-dropped", "a part")
        elif kind == "other":
            self._word = event.value.get("diptych:end", {}).get("is", self._word)
        return []

    def _line(self, message: dict[str, Any], **more: Any) -> dict[str, Any]:
        created = written_time(self.head.get("created") or 0)
        head = {"model": self.head.get("model") or "unknown", "created_at": created}
        return {**head, "message": {"role": "assistant", **message}, "done": False, **more}

    def finish(self) -> list[dict[str, Any]]:
        if self.failed:
            return []
        found = []
        for number, pieces in sorted(self._calls.items()):
            call = ToolCall(self._ids[number][0] or "", self._ids[number][1], "".join(pieces))
            function = {"name": call.name, "arguments": write_json(call.arguments)}
            found.append(self._line({"content": "", "tool_calls": [{"id": call.id, "function": function}]}))
        end = "stop" if self.end == "tool_calls" else self.end
        word = self._word if self.is_own and self._word is not None else self.word(end)
        counts = {} if self.usage is None else self.counts.write(self.usage, own=self.is_own)
        own = {name: value for name, value in self.head.items() if self.is_own and name not in ("model", "created")}
        return [*found, self._line({"content": ""}, done=True, done_reason=word, **counts, **own)]

    def write_error(self, error: Any) -> list[dict[str, Any]]:
        message = error.get("message") if isinstance(error, Mapping) else error
        return [{"error": str(message)}]
