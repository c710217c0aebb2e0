"""Streams of Gemini: chunks in, neutral events out, and back.

Rule: every chunk is an answer whose parts are pieces; calls come whole. The tokens are told with every
chunk and grow: those of the last one count, which says why the reply ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from ...model import EMPTY, AudioPart, ImagePart, Part, ReasoningPart, TextPart, ToolCall, thaw
from ...response import Event, ResponseChoice
from ..answers import END
from ..api import Writer
from ..ledger import Ledger
from ..writers import EventWriter
from .request import API
from .response import ANSWERS, read_response

#: Fields of a chunk that change while a text grows; the usage counts at the end.
_GROWING: Final = frozenset({"candidates", "usageMetadata"})
_PLAIN: Final = frozenset({"content", "index"})


class StreamReader:
    """Feed it chunks, get neutral events.

    >>> chunk = {"candidates": [{"content": {"parts": [{"text": "Hi"}]}}]}
    >>> [event.kind for event in StreamReader().feed(chunk)]
    ['head', 'start', 'text']
    """

    def __init__(self, tools: frozenset[str] = frozenset()) -> None:  # as every reader
        self._head: dict[str, Any] | None = None
        self._begun: dict[int, int] = {}
        self._part = 0
        self._beside: dict[str, Any] | None = None

    def feed(self, chunk: Mapping[str, Any]) -> list[Event]:
        """Take a chunk. Raises FormatError where it is malformed."""
        beside = {name: value for name, value in chunk.items() if name not in _GROWING}
        if beside == self._beside and (plain := self._plain(chunk.get("candidates"))) is not None:
            return [plain]
        self._beside = beside
        if isinstance(chunk.get("error"), Mapping):
            return [Event("error", value=chunk["error"])]
        response = read_response(chunk)
        found: list[Event] = []
        known = {"id": response.id, "model": response.model}
        head = {name: value for name, value in known.items() if value is not None}
        head |= {name: thaw(v) for name, v in response.native["gemini"].items() if not name.startswith("diptych:")}
        if head != self._head:
            self._head = head
            found.append(Event("head", name="gemini", value=head))
        for choice in response.choices:
            self._choice(choice, found)
        if response.usage is not None and (not response.choices or any(c.finish_reason for c in response.choices)):
            found.append(Event("usage", value=response.usage))
        return found

    def _plain(self, candidates: Any) -> Event | None:
        """Return the event of candidates that only add a text to a reply, as most do; None for any others."""
        candidate = candidates[0] if type(candidates) is list and len(candidates) == 1 else None
        if type(candidate) is not dict or not candidate.keys() <= _PLAIN:
            return None
        content, index = candidate.get("content"), candidate.get("index", 0)
        if type(content) is not dict or content.get("role") != "model" or len(content) != 2 or type(index) is not int:
            return None
        parts = content.get("parts")
        part = parts[0] if type(parts) is list and len(parts) == 1 else None
        text = part.get("text") if type(part) is dict and len(part) == 1 else None
        if type(text) is not str or not text or index not in self._begun:
            return None
        return Event("text", index, text, self._part)

    def _choice(self, choice: ResponseChoice, found: list[Event]) -> None:
        index = choice.index
        if index not in self._begun:
            self._begun[index] = 0
            found.append(Event("start", index, "assistant"))
        for part in choice.message.parts:
            self._piece(index, part, found)
        own = choice.native["gemini"]
        more = {name: thaw(value) for name, value in own.items() if name == END or not name.startswith("diptych:")}
        if more.get(END) == {}:
            del more[END]  # a reply that goes on says no end
        if more:
            found.append(Event("other", index, value=more))
        if choice.finish_reason:
            calls = choice.finish_reason == "stop" and self._begun[index]
            found.append(Event("finish", index, "tool_calls" if calls else choice.finish_reason))

    def _piece(self, index: int, part: Part, found: list[Event]) -> None:
        native = thaw(getattr(part, "native", EMPTY).get("gemini", EMPTY))
        more = {name: value for name, value in native.items() if not name.startswith("diptych:")}
        if isinstance(part, ToolCall):
            number = self._begun[index]
            self._begun[index] += 1
            found.append(Event("call", index, part.arguments, number, part.id, part.name, more or None))
            return
        if not isinstance(part, TextPart | ReasoningPart):
            found.append(Event("part", index, value=part))
            return
        kind = "text" if isinstance(part, TextPart) else "reasoning"
        if part.text or more:
            found.append(Event(kind, index, part.text, self._part))  # type: ignore[arg-type]
        if more:
            found.append(Event("more", index, call=self._part, value=more))
            self._part += 1


class StreamWriter(EventWriter):
    """Feed it neutral events, get chunks.

    >>> writer = StreamWriter()
    >>> [chunk["candidates"][0]["content"]["parts"] for chunk in writer.feed(Event("text", text="Hi"))]
    [[{'text': 'Hi'}]]
    """

    answers = ANSWERS
    has_choices: ClassVar[bool] = True

    def __init__(self, request: Mapping[str, Any] | None = None) -> None:
        super().__init__(request)
        self._calls: dict[tuple[int, int], dict[str, Any]] = {}
        self._ends: dict[int, dict[str, Any]] = {}
        self._own: dict[int, dict[str, Any]] = {}

    def write(self, event: Event) -> list[dict[str, Any]]:
        kind, index = event.kind, event.choice
        if event.value is not None and kind == "text":
            self.lose("field-dropped", "log probabilities")
        if kind in ("text", "refusal") and event.text:
            if kind == "refusal":
                self.lose("substituted", "the refusal is a text")
            return [self._chunk(index, {"text": event.text})]
        if kind == "reasoning" and event.text:
            return [self._chunk(index, {"thought": True, "text": event.text})]
        if kind == "more":
            return [self._chunk(index, {"text": "", **event.value})]
        if kind == "call":
            self._call(event)
        elif kind == "part":
            return self._whole(index, event.value)
        elif kind == "other" and event.name != "message":
            self._own.setdefault(index, {}).update(event.value)
        return []

    def _call(self, event: Event) -> None:
        call = self._calls.setdefault((event.choice, event.call), {"id": None, "name": "", "text": "", "more": {}})
        call["id"] = call["id"] or event.id
        call["name"] += event.name or ""
        call["text"] += event.text
        more = {name: value for name, value in (event.value or {}).items() if name != "type"}
        if self.is_own:
            call["more"] |= more
        elif more:
            self.lose("field-dropped", f"{', '.join(more)} of a call")

    def _whole(self, index: int, part: Any) -> list[dict[str, Any]]:
        ledger = Ledger()
        written = Writer(API, None, ledger).part(part)
        if written is None:
            self.lose("media-dropped" if isinstance(part, ImagePart | AudioPart) else "field-dropped", "a part")
            return []
        return [self._chunk(index, written)]

    def write_end(self, event: Event) -> list[dict[str, Any]]:
        word = "STOP" if event.text == "tool_calls" else self.word(event.text)
        self._ends[event.choice] = {"finishReason": word}
        return []

    def _chunk(self, index: int, *parts: dict[str, Any], **more: Any) -> dict[str, Any]:
        candidate = {"content": {"parts": list(parts), "role": "model"}, "index": index, **more}
        return self._body({"candidates": [candidate]})

    def _body(self, body: dict[str, Any]) -> dict[str, Any]:
        named = {"responseId": self.head.get("id"), "modelVersion": self.head.get("model")}
        own = {name: value for name, value in self.head.items() if self.is_own and name not in ("id", "model")}
        return {**body, **{name: value for name, value in named.items() if value is not None}, **own}

    def finish(self) -> list[dict[str, Any]]:
        if self.failed:
            return []
        found = []
        for (index, _), call in sorted(self._calls.items()):
            part = ToolCall(call["id"] or "", call["name"], call["text"])
            written = Writer(API, None, Ledger()).part(part)
            found.append(self._chunk(index, {**(written or {}), **call["more"]}))
        for index in sorted({*self._ends, *self._own}):
            own = dict(self._own.get(index, {}))
            word = own.pop(END, {}).get("is")
            end = {"finishReason": word} if word is not None else self._ends.get(index, {})
            found.append(self._chunk(index, **end, **own))
        usage = {} if self.usage is None else {"usageMetadata": self.counts.write(self.usage, own=self.is_own)}
        if usage and found:
            found[-1] |= usage
        return found or ([self._body(usage)] if usage else [])
