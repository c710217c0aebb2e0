"""Streams of Gemini: chunks in, neutral events out, and back.

Rule: every chunk is an answer whose parts are pieces; calls come whole. The tokens are told with every
chunk and grow: those of the last one count, which says why the reply ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from ...model import EMPTY, OtherPart, Part, ReasoningPart, TextPart, ToolCall, thaw
from ...response import Event, ResponseChoice
from ..answers import END
from ..api import Writer
from ..fields import NOTE
from ..ledger import Ledger
from ..writers import EventWriter
from .logprobs import AT, write_logprobs
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
        ledger = Ledger()
        response = read_response(chunk, ledger)
        found: list[Event] = []
        known = {"id": response.id, "model": response.model}
        head = {name: value for name, value in known.items() if value is not None}
        head |= {name: thaw(v) for name, v in response.native["gemini"].items() if not name.startswith(NOTE)}
        if head != self._head:
            self._head = head
            found.append(Event("head", name="gemini", value=head))
        for choice in response.choices:
            self._choice(choice, ledger, found)
        if response.usage is not None and (not response.choices or any(map(_is_over, response.choices))):
            found.append(Event("usage", value=response.usage, at=ledger.spelt("$.usageMetadata")[1:]))
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
        return Event("text", index, text, self._part, at=".candidates[0].content.parts[0].text")

    def _choice(self, choice: ResponseChoice, ledger: Ledger, found: list[Event]) -> None:
        index, at = choice.index, ledger.path(choice)
        if index not in self._begun:
            self._begun[index] = 0
            found.append(Event("start", index, "assistant"))
        for number, part in enumerate(choice.message.parts):
            self._piece(index, part, ledger.spelt(f"{at}.content.parts[{number}]")[1:], found)
        if choice.logprobs is not None:
            where = ledger.spelt(f"{at}.{AT}")[1:]
            found.append(Event("text", index, call=self._part, value=choice.logprobs, at=where))
        own, of_content = choice.native["gemini"], choice.message.native["gemini"]
        content = {name: thaw(value) for name, value in of_content.items() if not name.startswith(NOTE)}
        if content:
            where = ledger.spelt(ledger.path(choice.message))[1:]
            found.append(Event("other", index, name="message", value=content, at=where))
        more = {name: thaw(value) for name, value in own.items() if not name.startswith(NOTE)}
        if more:
            found.append(Event("other", index, value=more, at=ledger.spelt(at)[1:]))
        self._end(choice, ledger.spelt(f"{at}.finishReason")[1:], found)

    def _end(self, choice: ResponseChoice, at: str, found: list[Event]) -> None:
        note = thaw(choice.native["gemini"].get(END, EMPTY))
        if note:  # a reply that goes on says no end
            found.append(Event("other", choice.index, value={END: note}, at=at))
        if choice.finish_reason:
            calls = choice.finish_reason == "stop" and self._begun[choice.index]
            found.append(Event("finish", choice.index, "tool_calls" if calls else choice.finish_reason, at=at))

    def _piece(self, index: int, part: Part, at: str, found: list[Event]) -> None:
        native = thaw(getattr(part, "native", EMPTY).get("gemini", EMPTY))
        more = {name: value for name, value in native.items() if not name.startswith(NOTE)}
        if isinstance(part, ToolCall):
            number = self._begun[index]
            self._begun[index] += 1
            found.append(Event("call", index, part.arguments, number, part.id, part.name, more or None, at))
            return
        if not isinstance(part, TextPart | ReasoningPart):
            found.append(Event("part", index, value=part, at=at))
            return
        kind = "text" if isinstance(part, TextPart) else "reasoning"
        if part.text or more:
            found.append(Event(kind, index, part.text, self._part, at=f"{at}.text"))  # type: ignore[arg-type]
        if more:
            found.append(Event("more", index, call=self._part, value=more, at=at))
            self._part += 1


def _is_over(choice: ResponseChoice) -> bool:
    return bool(choice.finish_reason or choice.native["gemini"].get(END))


class StreamWriter(EventWriter):
    """Feed it neutral events, get chunks.

    >>> writer = StreamWriter()
    >>> [chunk["candidates"][0]["content"]["parts"] for chunk in writer.feed(Event("text", text="Hi"))]
    [[{'text': 'Hi'}]]
    """

    answers = ANSWERS
    has_choices: ClassVar[bool] = True
    takes_reasoning: ClassVar[bool] = True
    takes_logprobs: ClassVar[bool] = True
    has_bytes: ClassVar[bool] = False

    def __init__(self, request: Mapping[str, Any] | None = None) -> None:
        super().__init__(request)
        self._calls: dict[tuple[int, int], dict[str, Any]] = {}
        self._ends: dict[int, dict[str, Any]] = {}

    def write(self, event: Event) -> list[dict[str, Any]]:
        if event.kind == "call":
            self._call(event)
        elif event.kind == "reasoning" and event.text:
            return [self._chunk(event.choice, {"thought": True, "text": event.text})]
        elif event.kind == "text" and (event.text or event.value):
            tokens = self.tokens(event)
            more = {AT: write_logprobs(tokens)} if tokens else {}
            return [self._chunk(event.choice, *([{"text": event.text}] if event.text else []), **more)]
        return []

    def _call(self, event: Event) -> None:
        call = self._calls.setdefault((event.choice, event.call), {"id": None, "name": "", "text": ""})
        call["id"] = call["id"] or event.id
        call["name"] += event.name or ""
        call["text"] += event.text

    def write_part(self, event: Event) -> list[dict[str, Any]]:
        written = None if isinstance(event.value, OtherPart) else Writer(API, None, Ledger()).part(event.value)
        return super().write_part(event) if written is None else [self._chunk(event.choice, written)]

    def write_end(self, event: Event) -> list[dict[str, Any]]:
        is_call = event.text == "tool_calls"
        super().write_end(event)
        self._ends[event.choice] = {"finishReason": self.word(event._replace(text="stop") if is_call else event)}
        return []

    def _chunk(self, index: int, *parts: dict[str, Any], **more: Any) -> dict[str, Any]:
        candidate = {"content": {"parts": list(parts), "role": "model"}, "index": index, **more}
        return self._body({"candidates": [candidate]})

    def _body(self, body: dict[str, Any]) -> dict[str, Any]:
        named = {"responseId": self.head.get("id"), "modelVersion": self.head.get("model")}
        return {**body, **{name: value for name, value in named.items() if value is not None}}

    def finish(self) -> list[dict[str, Any]]:
        if self.failed:
            return []
        found = []
        for (index, number), call in sorted(self._calls.items()):
            part = ToolCall(call["id"] or "", call["name"], call["text"] + self.rest_of(number, index))
            found.append(self._chunk(index, Writer(API, None, Ledger()).part(part) or {}))
        if self.end_event is not None and self.end is None:
            self._ends[self.end_event.choice] = {"finishReason": self.word(self.end_event)}
        found += [self._chunk(index, **end) for index, end in sorted(self._ends.items())]
        usage = {} if self.usage is None else {"usageMetadata": self.answers.counts.write(self.usage, own=False)}
        if usage and found:
            found[-1] |= usage
        return found or ([self._body(usage)] if usage else [])
