"""Streams of OpenAI Responses: events in, neutral events out, and back.

Rule: texts, refusals, reasoning and arguments come in pieces; what else an item says is told when it is
done, an item of a built-in tool then comes whole. The last event holds the whole answer: its end, its
tokens and its further fields are read from there, and what is written there is what the pieces amount to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final

from ...model import EMPTY, Message, ReasoningPart, RefusalPart, TextPart, thaw
from ...response import Event, Response, ResponseChoice
from ..api import Reader
from ..fields import NOTE
from ..ledger import Ledger
from ..logprobs import read_tokens
from ..writers import EventWriter
from .items import Items
from .request import API
from .response import ANSWERS, item_with_needs, read_end, read_response, write_response

_PIECES: Final = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "refusal",
    "response.reasoning_text.delta": "reasoning",
    "response.reasoning_summary_text.delta": "reasoning",
    "response.function_call_arguments.delta": "call",
    "response.custom_tool_call_input.delta": "call",
}
_ENDS: Final = ("response.completed", "response.incomplete", "response.failed")
#: Numbers of the parts of one item.
_PARTS: Final = 1000
#: The ends that the status says.
_LIMITS: Final = ("length", "content_filter")
_HEAD: Final = {"id": "resp_0", "model": "unknown", "created": 0}
_CALLS: Final = {"function_call": "arguments", "custom_tool_call": "input"}
_WORDS: Final = {"text": "output_text", "refusal": "refusal"}


class StreamReader:
    """Feed it events, get neutral events.

    >>> event = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "Hi"}
    >>> [event.text for event in StreamReader().feed(event)]
    ['Hi']
    """

    def __init__(self, tools: frozenset[str] = frozenset()) -> None:  # as every reader
        self._begun = False
        self._calls: dict[int, int] = {}
        self._summary: dict[int, int] = {}
        self._said: set[int] = set()
        self._told: set[int] = set()  # texts whose log probabilities came with their pieces
        self._late: list[Event] = []  # log probabilities that came with the end of a text
        self._texts: set[int] = set()
        self.over = False  # the last event has come

    def feed(self, event: Mapping[str, Any]) -> list[Event]:
        """Take an event."""
        kind = str(event.get("type"))
        if kind in _PIECES:
            return self._piece(_PIECES[kind], event)
        if kind == "error":
            more = {name: value for name, value in event.items() if name not in ("sequence_number", "type")}
            return [Event("error", value=more)]
        stated = event.get("response")
        if kind in _ENDS and isinstance(stated, Mapping):
            self.over = True
            return self._end(stated)
        if isinstance(stated, Mapping):
            return self._start(stated)
        item, index = event.get("item"), event.get("output_index")
        if not isinstance(item, Mapping) or type(index) is not int:
            return []
        if kind == "response.output_item.added":
            return self._added(item, index)
        return self._done(item, index) if kind == "response.output_item.done" else []

    def _start(self, response: Mapping[str, Any]) -> list[Event]:
        if self._begun:
            return []
        self._begun = True
        read = read_response({**response, "output": []})
        known = {"id": read.id, "model": read.model, "created": read.created}
        head = {name: value for name, value in known.items() if value is not None}
        return [Event("head", name="responses", value=head, at=".response"), Event("start", text="assistant")]

    def _added(self, item: Mapping[str, Any], index: int) -> list[Event]:
        field = _CALLS.get(str(item.get("type")))
        if field is None:
            return []
        number = self._calls[index] = len(self._calls)
        value = {"type": "custom"} if field == "input" else None
        text = str(item.get(field) or "")
        self._said |= {index * _PARTS} if text else set()
        return [Event("call", 0, text, number, item.get("call_id"), item.get("name"), value, ".item")]

    def _piece(self, kind: Any, event: Mapping[str, Any]) -> list[Event]:
        index, text = event.get("output_index", 0), event.get("delta")
        if not isinstance(text, str):
            return []
        if kind == "call":
            self._said.add(index * _PARTS)
            return [Event("call", text=text, call=self._calls[index])] if index in self._calls else []
        if kind == "reasoning":
            part = event.get("summary_index", event.get("content_index", 0))
            before, self._summary[index] = self._summary.get(index, part), part
            text, number = "\n" + text if before != part else text, index * _PARTS
        else:
            number = index * _PARTS + event.get("content_index", 0)
        self._said.add(number)
        tokens = read_tokens(event.get("logprobs")) if kind == "text" else None
        if tokens is None:
            return [Event(kind, text=text, call=number, at=".delta")]
        self._told.add(number)
        return [Event(kind, text=text, call=number, value=tokens, at=".logprobs")]

    def _done(self, item: Mapping[str, Any], index: int) -> list[Event]:
        """Tell what was not told in pieces."""
        if index in self._calls:
            field = _CALLS[str(item["type"])]
            text = "" if index * _PARTS in self._said else str(item.get(field) or "")
            more = {name: value for name, value in item.items() if name not in ("type", "call_id", "name", field)}
            return [Event("call", text=text, call=self._calls[index], value=more, at=".item")]
        ledger, found = Ledger(), list[Event]()
        for message in Items(Reader(API, ledger), [item], {}, "$.item", is_answer=True).read():
            for number, part in enumerate(message.parts):
                at = ledger.path(part).replace("$.item[0]", ".item")
                found += self._part(part, index * _PARTS + number, at)
            native = {name: value for name, value in _own(message).items() if not name.startswith(NOTE)}
            found += [Event("other", name="message", value=native, at=".item")] if native else []
        return found

    def _part(self, part: Any, number: int, at: str) -> list[Event]:
        """Return the events of a part of a whole item; of one that came in pieces what else is said of it."""
        if not isinstance(part, TextPart | ReasoningPart | RefusalPart):
            return [Event("part", value=part, at=at)]
        native = _own(part)
        if isinstance(part, TextPart):
            self._texts.add(number)
            tokens = read_tokens(native.get("logprobs"))
            if number in self._told or tokens:
                del native["logprobs"]
            if tokens and number not in self._told:
                self._late.append(Event("text", call=number, value=tokens, at=at))
        more = [Event("more", call=number, value=native, at=at)] if native else []
        if number in self._said or not part.text:
            return more
        kind: Any = {TextPart: "text", ReasoningPart: "reasoning"}.get(type(part), "refusal")
        return [Event(kind, text=part.text, call=number, at=at), *more]

    def _end(self, response: Mapping[str, Any]) -> list[Event]:
        found, at = [*self._start(response), *self._late_logprobs()], ".response"
        read = read_response({**response, "output": response.get("output") or []})
        stated = read.native["responses"]
        more = {name: thaw(value) for name, value in stated.items() if not name.startswith(NOTE)}
        error = more.get("error")
        more = {name: value for name, value in more.items() if name != "error" or error is None}
        found += [Event("head", name="responses", value=more, at=at)] if more else []
        usage = [Event("usage", value=read.usage, at=f"{at}.usage")] if read.usage is not None else []
        if isinstance(error, Mapping):
            return [*found, *usage, Event("error", value=error)]
        end, note = read_end(dict(response), list(read.choices[0].message.parts))
        beside = {name: note.pop(name) for name in ("incomplete_details",) if name in note}
        found += [Event("other", value=beside, at=at)] if beside else []
        found += [Event("other", value=note, at=f"{at}.status")] if note else []
        found += [Event("finish", text=end, at=f"{at}.status")] if end else []
        return [*found, *usage]


    def _late_logprobs(self) -> list[Event]:
        """Tell log probabilities that came late: those of a reply that is one text, as in whole answers."""
        if len(self._texts) == 1:
            return [one._replace(at=f"{one.at}.logprobs") for one in self._late]
        return [one._replace(kind="more", value={"logprobs": one.value["content"]}) for one in self._late]


def _own(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = thaw(value.native.get("responses", EMPTY))
    return found


class StreamWriter(EventWriter):
    """Feed it neutral events, get those of Responses.

    >>> writer = StreamWriter()
    >>> [event["type"] for event in writer.feed(Event("text", text="Hi"))][2:]
    ['response.output_item.added', 'response.content_part.added', 'response.output_text.delta']
    >>> _ = writer.feed(Event("finish", text="stop"))
    >>> writer.finish()[-1]["response"]["output"][0]["content"][0]["text"]
    'Hi'
    """

    answers: ClassVar[Any] = ANSWERS
    takes_texts: ClassVar[bool] = True
    takes_logprobs: ClassVar[bool] = True
    has_whole_tokens: ClassVar[bool] = True

    def __init__(self, request: Mapping[str, Any] | None = None) -> None:
        super().__init__(request)
        self._tokens: list[dict[str, Any]] = []  # of the text that is open
        self._number = 0
        self._begun = False
        self._items: list[dict[str, Any]] = []
        self._open: tuple[str, int, list[str]] | None = None
        self._calls: dict[int, int] = {}

    def _event(self, kind: str, **fields: Any) -> dict[str, Any]:
        event = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        return event

    def write_head(self) -> list[dict[str, Any]]:
        return self._begin()

    def _begin(self) -> list[dict[str, Any]]:
        if self._begun:
            return []
        self._begun = True
        response = {**self._whole(), "status": "in_progress", "usage": None, "incomplete_details": None}
        return [self._event(f"response.{kind}", response=response) for kind in ("created", "in_progress")]

    def _whole(self, end: str | None = "stop") -> dict[str, Any]:
        """Return the whole answer as far as it goes."""
        head = {name: self.made(name, made) for name, made in _HEAD.items()}
        choice = ResponseChoice(Message.of("assistant", ()), end)
        found = Response((choice,), self.usage and replace(self.usage, server=None), **head)
        return {**write_response(found)[0], "output": [dict(item) for item in self._items]}

    def write(self, event: Event) -> list[dict[str, Any]]:
        if event.kind == "start" or (event.kind != "call" and not (event.text or event.value)):
            return self._begin()
        return [*self._begin(), *(self._call(event) if event.kind == "call" else self._text(event.kind, event))]

    def _refusal(self, event: Event) -> list[dict[str, Any]]:
        return self.write(event)

    def _text(self, kind: str, event: Event) -> list[dict[str, Any]]:
        index = event.call
        made: list[dict[str, Any]] = []
        if self._open is None or self._open[:2] != (kind, index):
            made = [*self._close(), *self._start_text(kind, index)]
        assert self._open is not None
        self._open[2].append(event.text)
        more: dict[str, Any] = {"logprobs": self.tokens(event)} if kind == "text" else {}
        self._tokens += more.get("logprobs", ())
        return [*made, self._event(f"response.{_WORDS[kind]}.delta", **self._place(), delta=event.text, **more)]

    def _start_text(self, kind: str, index: int) -> list[dict[str, Any]]:
        self._open = (kind, index, [])
        at = len(self._items)
        item = {"id": f"msg_{at}", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        self._items.append(item)
        made = [self._event("response.output_item.added", output_index=at, item=dict(item))]
        return [*made, self._event("response.content_part.added", **self._place(), part=_part(kind, ""))]

    def _place(self) -> dict[str, Any]:
        at = len(self._items) - 1
        return {"item_id": self._items[at]["id"], "output_index": at, "content_index": 0}

    def _close(self) -> list[dict[str, Any]]:
        """End the text that is open."""
        if self._open is None:
            return []
        kind, _, pieces = self._open
        text, at, item, self._open = "".join(pieces), self._place(), self._items[-1], None
        part, tokens = _part(kind, text), self._tokens
        more, self._tokens = {"logprobs": tokens} if kind == "text" else {}, []
        part |= more
        item |= {"content": [part], "status": "completed"}
        said = {"refusal" if kind == "refusal" else "text": text, **more}
        return [
            self._event(f"response.{_WORDS[kind]}.done", **at, **said),
            self._event("response.content_part.done", **at, part=part),
            self._event("response.output_item.done", output_index=at["output_index"], item=dict(item)),
        ]

    def _call(self, event: Event) -> list[dict[str, Any]]:
        made = []
        if event.call not in self._calls:
            made = [*self._close(), *self._start_call(event)]
        at = self._calls[event.call]
        item = self._items[at]
        field = _CALLS[item["type"]]
        item[field] += event.text
        grown = self._event(f"response.{_grown(field)}.delta", item_id=item["id"], output_index=at, delta=event.text)
        if event.text:
            return [*made, grown]
        self._number -= 1
        return made

    def _start_call(self, event: Event) -> list[dict[str, Any]]:
        custom = (event.value or {}).get("type") == "custom"
        at = self._calls[event.call] = len(self._items)
        kind = "custom_tool_call" if custom else "function_call"
        item = {"type": kind, "call_id": event.id or f"call_{at}", "name": event.name or "", _CALLS[kind]: ""}
        self._items.append(item_with_needs(item, at) | ({} if custom else {"status": "in_progress"}))
        return [self._event("response.output_item.added", output_index=at, item=dict(self._items[at]))]

    def close(self) -> list[dict[str, Any]]:
        made = [*self._begin(), *self._close()]
        for at in self._calls.values():
            made += self._done_call(at)
        whole = self._whole(self._end())
        kind = "incomplete" if whole["status"] == "incomplete" else "completed"
        return [*made, self._event(f"response.{kind}", response=whole)]

    def _end(self) -> str | None:
        """Return the neutral end that the status says; another one is reported."""
        assert self.end_event is not None
        end = "tool_calls" if self._calls else "stop"
        if self.end in _LIMITS:
            return self.end
        if self.end != end:
            said = self.end_event.text
            self.report.lose("substituted", self.end_event, detail=f"Responses has no {said!r} here")
        return end

    def _done_call(self, at: int) -> list[dict[str, Any]]:
        item = self._items[at]
        if "status" in item:
            item["status"] = "completed"
        field = _CALLS[item["type"]]
        said = {field: item[field], **({"name": item["name"]} if field == "arguments" else {})}
        return [
            self._event(f"response.{_grown(field)}.done", item_id=item["id"], output_index=at, **said),
            self._event("response.output_item.done", output_index=at, item=dict(item)),
        ]

    def write_error(self, error: Any) -> list[dict[str, Any]]:
        stated = error if isinstance(error, Mapping) else {"message": str(error)}
        return [self._event("error", **{name: stated.get(name) for name in ("code", "message", "param")})]


def _grown(field: str) -> str:
    return "function_call_arguments" if field == "arguments" else "custom_tool_call_input"


def _part(kind: str, text: str) -> dict[str, Any]:
    if kind == "refusal":
        return {"type": "refusal", "refusal": text}
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
