"""Streams of Ollama: lines of JSON in, neutral events out, and back.

Rule: every line holds a piece of the message; calls come whole; the last line says why it ended and the tokens.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from ...model import ToolCall
from ...response import Event, EventKind
from ..answers import END
from ..logprobs import read_tokens
from ..values import write_json
from ..writers import EventWriter
from .response import ANSWERS, written_time

_TEXTS: Final[tuple[tuple[EventKind, str], ...]] = (("reasoning", "thinking"), ("text", "content"))
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
            said = line.get("message")
            role = str(said.get("role") or "assistant") if isinstance(said, Mapping) else "assistant"
            found = [Event("head", name="ollama", value=head), Event("start", text=role, at=".message.role")]
            if "created" not in head and line.get("created_at"):
                found.append(Event("head", name="ollama", value={"created_at": line["created_at"]}))
        message = line.get("message")
        if isinstance(message, Mapping):
            found += self._message(message)
        if line.get("logprobs"):
            self._logprobs(line["logprobs"], found)
        self.over = bool(line.get("done"))
        return [*found, *(self._end(line) if self.over else [])]

    def _message(self, message: Mapping[str, Any]) -> list[Event]:
        found = [
            Event(kind, text=text, at=f".message.{name}")
            for kind, name in _TEXTS
            if isinstance(text := message.get(name), str) and text
        ]
        for index, call in enumerate(message.get("tool_calls") or ()):
            found.append(self._call(call, f".message.tool_calls[{index}]"))
        more = {name: value for name, value in message.items() if name not in _OF_MESSAGE and value}
        return [*found, *([Event("other", name="message", value=more, at=".message")] if more else [])]

    def _logprobs(self, stated: Any, found: list[Event]) -> None:
        """Tell the tokens of a line with its text; what says more of them than others do is Ollama's."""
        tokens = read_tokens(stated)
        if tokens is None:
            found.append(Event("other", value={"logprobs": stated}))
        else:
            at = next((index for index, event in enumerate(found) if event.kind == "text"), len(found))
            text = found[at].text if at < len(found) else ""
            found[at : at + 1] = [Event("text", text=text, value=tokens, at=".logprobs")]

    def _call(self, call: Mapping[str, Any], at: str) -> Event:
        function = call.get("function", {})
        text = json.dumps(function.get("arguments") or {}, ensure_ascii=False)
        number, self._calls = self._calls, self._calls + 1
        more = {name: value for name, value in call.items() if name not in ("id", "function")}
        if inner := {name: value for name, value in function.items() if name not in ("name", "arguments")}:
            more["function"] = inner
        id_ = call.get("id") or f"call_{number}"
        return Event("call", text=text, call=number, id=id_, name=function.get("name"), value=more or None, at=at)

    def _end(self, line: Mapping[str, Any]) -> list[Event]:
        end, note = ANSWERS.end_of(line.get("done_reason"))
        found = [Event("other", value=note, at=".done_reason")] if END in note else []
        beside = ("model", "created_at", "message", "done", "done_reason", "logprobs", *ANSWERS.counts.paths.values())
        more = {name: value for name, value in line.items() if name not in beside and value is not None}
        found += [Event("head", name="ollama", value=more)] if more else []
        if end:
            end = "tool_calls" if end == "stop" and self._calls else end
            found.append(Event("finish", text=end, at=".done_reason"))
        counts = {name: line[name] for name in ANSWERS.counts.paths.values() if name in line}
        return [*found, *([Event("usage", value=ANSWERS.counts.read(counts))] if counts else [])]


class StreamWriter(EventWriter):
    """Feed it neutral events, get lines.

    >>> writer = StreamWriter()
    >>> [line["message"]["content"] for line in writer.feed(Event("text", text="Hi"))]
    ['Hi']
    """

    answers = ANSWERS
    takes_reasoning: ClassVar[bool] = True
    takes_logprobs: ClassVar[bool] = True

    def __init__(self, request: Mapping[str, Any] | None = None) -> None:
        super().__init__(request)
        self._calls: dict[int, list[str]] = {}
        self._ids: dict[int, tuple[str | None, str]] = {}

    def write(self, event: Event) -> list[dict[str, Any]]:
        kind = event.kind
        if self._calls and kind in ("text", "reasoning") and event.text:
            self.report.lose("reordered", event, detail="calls come last")
        if kind == "reasoning" and event.text:
            return [self._line({"content": "", "thinking": event.text})]
        if kind == "text" and (event.text or event.value):
            tokens = self.tokens(event)
            return [self._line({"content": event.text}, **({"logprobs": tokens} if tokens else {}))]
        if kind == "call":
            id_, name = self._ids.get(event.call, (None, ""))
            self._ids[event.call] = (id_ or event.id, name + (event.name or ""))
            self._calls.setdefault(event.call, []).append(event.text)
        return []

    def _line(self, message: dict[str, Any], **more: Any) -> dict[str, Any]:
        head = {"model": self.made("model", "unknown"), "created_at": written_time(self.made("created", 0))}
        return {**head, "message": {"role": "assistant", **message}, "done": False, **more}

    def close(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for number, pieces in sorted(self._calls.items()):
            id_ = self._ids[number][0] or f"call_{len(found)}"
            call = ToolCall(id_, self._ids[number][1], "".join(pieces) + self.rest_of(number))
            function = {"name": call.name, "arguments": write_json(call.arguments)}
            found.append(self._line({"content": "", "tool_calls": [{"id": call.id, "function": function}]}))
        is_call = self.end == "tool_calls" and self._calls
        event = self.end_event
        word = self.word(event._replace(text="stop") if event and is_call else event)
        counts = {} if self.usage is None else self.answers.counts.write(self.usage, own=False)
        return [*found, self._line({"content": ""}, done=True, done_reason=word, **counts)]

    def write_error(self, error: Any) -> list[dict[str, Any]]:
        message = error.get("message") if isinstance(error, Mapping) else error
        return [{"error": str(message)}]
