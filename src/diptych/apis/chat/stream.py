"""Streams of Chat: chunks become events, and events become chunks.

Rule: nothing is held back, and what the events add up to is what the whole body would say. The
reader keeps the identity of tool calls (:mod:`.calls`), whatever a server leaves out or repeats. A
written stream begins each choice with its role and ends it with an empty delta.
"""

from __future__ import annotations

from collections.abc import KeysView, Mapping
from typing import Any, Final

from ...model import TextPart, thaw
from ...projection import OLD, PAYLOADS, write_part
from ...response import HEAD, Event
from .. import heads, logprobs
from ..chunks import ChunkWriter
from ..heads import Name, choices_of, indices_of
from .calls import Named, ToolCalls, read_function, text_field
from .response import PARTS, REASONING, content_part, listed, said

#: Fields of a chunk that are no fields of the response: ``obfuscation`` is padding.
_OF_CHUNK: Final = frozenset({"object", "choices", "usage", "obfuscation", "error"})
#: A delta that holds no more than these needs no closer look.
_PLAIN: Final = frozenset({"role", "content"})
_OF_CHOICE: Final = frozenset({"index", "delta", "message", "text", "finish_reason", "logprobs"})
#: The number of a call in ``function_call``: it comes after those of ``tool_calls``.
_OLD: Final = 1 << 30


class StreamReader:
    """Feed it chunks, get events. ``tools`` are the names that the request offers, which help to part calls.

    >>> reader = StreamReader()
    >>> chunk = {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}
    >>> [event.kind for event in reader.feed(chunk)]
    ['head', 'start', 'text', 'finish']
    """

    api: Name = "chat"

    def __init__(self, tools: frozenset[str] = frozenset()) -> None:
        self._tools = tools
        self._fields: KeysView[str] | None = None  # of the last chunk
        self._open: tuple[str, ...] = ()  # fields that have said nothing yet
        self._known: set[str] = set()
        self._choices: dict[int, _Choice] = {}

    def feed(self, chunk: Mapping[str, Any]) -> list[Event]:
        """Take a chunk. Raises FormatError where its choices are malformed."""
        if (quick := self._text(chunk)) is not None:
            return quick
        is_new = chunk.keys() != self._fields or (self._open and any(map(chunk.get, self._open)))
        events = self._head(chunk) if is_new else []
        choices = choices_of(chunk)
        for position, index in enumerate(indices_of(choices)):
            reader = self._choices.get(index)
            if reader is None:
                reader = self._choices[index] = _Choice(index, self._tools)
            reader.feed(choices[position], events, position)
        if isinstance(usage := chunk.get("usage"), Mapping):
            events.append(Event("usage", value=heads.read_usage(usage), at=".usage"))
        if error := chunk.get("error"):
            events.append(Event("error", value=error))
        return events

    def _text(self, chunk: Mapping[str, Any]) -> list[Event] | None:
        """Return the event of a chunk that says one more text and nothing else, as nearly all do; else None."""
        choices = chunk.get("choices")
        if type(choices) is not list or len(choices) != 1 or chunk.keys() != self._fields:
            return None
        choice = choices[0]
        if type(choice) is not dict or chunk.get("usage") or chunk.get("error") or any(map(chunk.get, self._open)):
            return None
        get, delta = choice.get, choice.get("delta")
        index, content = get("index"), get("text")
        if delta is not None:
            content = delta.get("content") if type(delta) is dict and len(delta) == 1 else None
        count = 2 + ("finish_reason" in choice) + ("logprobs" in choice)  # with index and content
        if type(content) is not str or type(index) is not int or len(choice) != count:
            return None
        if get("finish_reason") is not None or get("logprobs") is not None:
            return None
        known = self._choices.get(index)
        return [Event("text", index, content)] if known is not None and known.begun else None

    def _head(self, chunk: Mapping[str, Any]) -> list[Event]:
        """Return the event of the fields beside the choices that are new.

        The first value of a field that says anything stands; another one, where the chunks differ in their fields.
        """
        begins, self._fields = self._fields is None, chunk.keys()
        names = [name for name in chunk if name not in _OF_CHUNK and name not in self._known]
        found = {name: chunk[name] for name in names if heads.known(chunk[name], HEAD.get(name, object))}
        self._known |= found.keys() & HEAD.keys()
        self._open = tuple(name for name in names if name not in found)
        return [Event("head", name=self.api, value=found)] if found or begins else []


class _Choice:
    """One reply while it is read."""

    __slots__ = ("_calls", "_function", "_index", "_tools", "begun")

    def __init__(self, index: int, tools: frozenset[str]) -> None:
        self._index, self._tools = index, tools
        self.begun = False
        self._calls: ToolCalls | None = None
        self._function: Named | None = None

    def feed(self, choice: Mapping[str, Any], events: list[Event], position: int) -> None:
        """Append the events of the entry of ``choices`` at a position."""
        at = f".choices[{position}]"
        index, stated, before = self._index, choice.get("logprobs"), len(events)
        part, content = said(choice)
        if not self.begun and (part is not None or content is not None):
            self.begun = True
            role = text_field(part, "role", "the role of a message") if part else ""
            events.append(Event("start", index, role, at=f"{at}.{_inner(choice)}.role" if role else at))
        if part is not None:
            content = part.get("content")
            if not part.keys() <= _PLAIN:
                self._beside(part, events, f"{at}.{_inner(choice)}")
        if type(content) is str or stated is not None:
            stated = stated if isinstance(stated, Mapping) else None
            text = content if type(content) is str else ""
            events.append(Event("text", index, text, value=stated, at=f"{at}.logprobs" if stated else ""))
        if content is not None and type(content) is not str:
            self._parts(listed(content), events, f"{at}.{_inner(choice)}.content")
        if not choice.keys() <= _OF_CHOICE:
            self._other(choice, events, at)
        if reason := text_field(choice, "finish_reason", "the finish reason of a choice"):
            events.append(Event("finish", index, reason, at=f"{at}.finish_reason"))
        if len(events) == before:
            events.append(Event("text", index))  # a reply that says nothing new is there all the same

    def _parts(self, content: list[Any], events: list[Event], at: str) -> None:
        for position, entry in enumerate(content):
            part = content_part(entry)
            if isinstance(part, TextPart):
                events.append(Event("text", self._index, part.text))
            else:
                events.append(Event("part", self._index, value=part, at=f"{at}[{position}]"))

    def _beside(self, part: Mapping[str, Any], events: list[Event], at: str) -> None:
        """Append the events of what stands beside the content of a delta."""
        index = self._index
        text_field(part, "role", "the role of a message")
        for name in REASONING:
            if isinstance(text := part.get(name), str):
                field = None if name == "reasoning_content" else name
                events.append(Event("reasoning", index, text, name=field, at=f"{at}.{name}"))
        if refusal := text_field(part, "refusal", "the refusal of a message"):
            events.append(Event("refusal", index, refusal, at=f"{at}.refusal"))
        if part.get("tool_calls"):
            self._calls = self._calls or ToolCalls(index, self._tools)
            calls = self._calls.add(part["tool_calls"])
            events += [call._replace(at=f"{at}.tool_calls[{place}]") for place, call in enumerate(calls)]
        if part.get("function_call"):
            self._function = self._function or Named(self._tools)
            name, payload = read_function(part["function_call"])
            name, old = self._function.add(name, payload), thaw(OLD["chat"])
            events.append(Event("call", index, payload, _OLD, None, name, old, f"{at}.function_call"))
        more = {name: field for name, field in part.items() if name not in PARTS and name != "role" and field}
        if more:
            events.append(Event("other", index, name="message", value=more, at=at))

    def _other(self, choice: Mapping[str, Any], events: list[Event], at: str) -> None:
        more = {name: field for name, field in choice.items() if name not in _OF_CHOICE and field is not None}
        if more:
            events.append(Event("other", self._index, value=more, at=at))


def _inner(choice: Mapping[str, Any]) -> str:
    """Return the name of what a choice says."""
    return "delta" if choice.get("delta") is not None else "message"


class StreamWriter(ChunkWriter):
    """Feed it events, get chunks. ``losses`` grows by what Chat cannot say.

    >>> writer = StreamWriter()
    >>> [chunk["choices"][0]["delta"] for chunk in writer.feed(Event("text", text="Hi"))]
    [{'role': 'assistant', 'content': ''}, {'content': 'Hi'}]
    """

    api = "chat"
    object = "chat.completion.chunk"

    def __init__(self, request: Mapping[str, Any] | None = None) -> None:
        super().__init__(request)
        self._begun: set[int] = set()
        self._customs: set[tuple[int, int]] = set()

    def _opening(self, event: Event) -> list[dict[str, Any]]:
        if event.choice in self._begun:
            return []
        self._begun.add(event.choice)
        role = event.text if event.kind == "start" else ""
        return [_entry(event.choice, {"role": role or "assistant", "content": ""})]

    def _step(self, event: Event) -> list[dict[str, Any]]:
        index = event.choice
        if event.kind == "text":
            return self._text(event)
        if event.kind == "finish":
            return [_entry(index, {}, event.text)]
        if event.kind == "other" and event.name != "message":
            return [_entry(index, {}, **event.value)]
        delta = self._delta(event)
        return [_entry(index, delta)] if delta else []

    def _text(self, event: Event) -> list[dict[str, Any]]:
        stated = event.value
        if not self._is_own:
            stated = logprobs.to_chat(stated, f"$.choices[{event.choice}].logprobs", self.losses)
        if not event.text and stated is None:
            return []
        more = {} if stated is None else {"logprobs": stated}
        return [_entry(event.choice, {"content": event.text}, None, **more)]

    def _delta(self, event: Event) -> dict[str, Any]:
        if event.kind == "call":
            return self._call(event)
        if event.kind == "part":
            return {"content": [write_part(event.value)]}
        if event.kind == "other":
            return dict(event.value)
        name = {"refusal": "refusal", "reasoning": event.name or "reasoning_content"}.get(event.kind)
        return {name: event.text} if name and event.text else {}

    def _call(self, event: Event) -> dict[str, Any]:
        more = dict(event.value or {})
        type_ = more.pop("type", None)
        place = (event.choice, event.call)
        if type_ == "custom":
            self._customs.add(place)
        kind = "custom" if place in self._customs else "function"
        inner = {} if event.name is None else {"name": event.name}
        if event.text or event.name is not None:
            inner[PAYLOADS[kind]] = event.text
        if event.call == _OLD:
            return {"function_call": inner}
        opening = {} if event.id is None else {"id": event.id, "type": type_ or kind}
        if not (opening or inner or more):
            return {}
        # Clients look into the function of every entry, also of one that says nothing new of it.
        return {"tool_calls": [{"index": event.call, **opening, kind: inner or {PAYLOADS[kind]: ""}, **more}]}


def _entry(index: int, delta: dict[str, Any], reason: str | None = None, **more: Any) -> dict[str, Any]:
    return {"index": index, "delta": delta, "finish_reason": reason, **more}
