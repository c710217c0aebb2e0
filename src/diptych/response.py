"""A response as every API means it: whole, and as the events of a stream.

Rule: frozen and comparable, in no API's shape. Adding up the events of a stream gives the
response that the server would have sent whole. ``native`` maps the name of an API to what
only that API says, as in :mod:`.model`; the name alone says where a value came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from .model import EMPTY, FrozenMap, Message, Part, ReasoningPart, RefusalPart, TextPart, ToolCall

EventKind = Literal[
    "head", "start", "text", "reasoning", "refusal", "call", "part", "more", "other", "finish", "usage", "error"
]
#: Fields of a response that are known to every API.
HEAD: Final = {"id": str, "created": int, "model": str, "system_fingerprint": str}
#: APIs that servers of every origin speak: they do not say who made a reasoning.
_SHARED: Final = ("chat", "completions")
#: Fields of streamed audio that come in pieces.
_GROWING: Final = ("data", "transcript")


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a call. ``source`` says who counted: ``server``, or ``counted`` for Diptych.

    ``cached_tokens`` and ``cache_write_tokens`` are part of the prompt's, ``reasoning_tokens`` of the completion's.
    ``server`` holds the usage as the server stated it.

    >>> Usage(10, 5).total_tokens
    15
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    source: str = "server"
    server: Mapping[str, Any] | None = field(default=None, repr=False, hash=False)
    cache_write_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Tokens of prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens

    def to_json(self) -> dict[str, Any]:
        """Return the usage in the shape of the wire, with its ``source``."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.total_tokens,
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens},
            "completion_tokens_details": {"reasoning_tokens": self.reasoning_tokens},
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class ResponseChoice:
    """One reply of a response: its message and why it ended.

    ``logprobs`` have the shape of Chat: an object per token under ``content``. Those of servers of Chat and
    Completions stay as they were sent, which may be with ``tokens``, as Completions has it: servers mix the two.
    """

    message: Message
    finish_reason: str | None = None
    index: int = 0
    logprobs: Mapping[str, Any] | None = field(default=None, hash=False)
    native: FrozenMap = EMPTY


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answered, in no API's shape.

    >>> Response((ResponseChoice(Message("assistant", "Bonjour"), "stop"),)).text
    'Bonjour'
    """

    choices: tuple[ResponseChoice, ...] = ()
    usage: Usage | None = None
    model: str | None = None
    id: str | None = None
    created: int | None = None
    system_fingerprint: str | None = None
    native: FrozenMap = EMPTY

    @property
    def text(self) -> str:
        """The text of the first choice, "" where there is none."""
        return self.choices[0].message.text if self.choices else ""


class Failure(NamedTuple):
    """An error that a server states in place of an answer, in no API's shape.

    ``kind`` is one of ``invalid_request``, ``authentication``, ``billing``, ``permission``, ``not_found``,
    ``conflict``, ``too_large``, ``rate_limit``, ``server``, ``overloaded``, ``timeout``, or None where the
    server does not say; ``code`` and ``param`` are OpenAI's.

    >>> Failure("slow down", "rate_limit").kind
    'rate_limit'
    """

    message: str
    kind: str | None = None
    code: str | None = None
    param: str | None = None
    native: FrozenMap = EMPTY


class Event(NamedTuple):
    """One step of a streamed response; ``choice`` says which reply it belongs to.

    ``at`` is the path in the chunk of what the event says, with which losses are reported: that of the object
    whose fields stand in ``value``, or of the text; one that begins with ``$`` is of an earlier chunk.

    - ``head``: fields of the whole response in ``value``; ``name`` is the API that they came from
    - ``start``, ``finish``: a reply begins (``text`` is its role) and ends (``text`` is the reason)
    - ``text``, ``reasoning``, ``refusal``: a piece in ``text``; ``value`` of a text its log
      probabilities, ``name`` of a reasoning its field where an API has several, ``call`` the number
      of its part: texts of two numbers are two parts
    - ``call``: a piece of the tool call number ``call``: ``text`` of its arguments, ``name`` of its
      name; ``id`` and ``value`` (``type`` and what only the API says) once they are known
    - ``part``: a part that comes whole, in ``value``
    - ``more``: what only the API says of a part, in ``value``; ``call`` is its number, ``name`` the one place of it
    - ``other``: further fields in ``value``, of the message where ``name`` is ``message``, else of the reply
    - ``usage``, ``error``: concern the whole; ``value`` is a :class:`Usage`, or the error as it was stated; a usage
      with the name ``start`` is told before the reply and not the last

    >>> add_up([Event("text", text="Bon"), Event("text", text="jour"), Event("finish", text="stop")]).text
    'Bonjour'
    """

    kind: EventKind
    choice: int = 0
    text: str = ""
    call: int = 0
    id: str | None = None
    name: str | None = None
    value: Any = None
    at: str = ""


class Sum:
    """Events added up, one at a time; ``response()`` is what they amount to so far."""

    def __init__(self) -> None:
        self.head: dict[str, Any] = {}
        self.usage: Usage | None = None
        self.choices: dict[int, GrowingChoice] = {}
        self._api: str | None = None

    def add(self, event: Event) -> None:
        """Take one event."""
        kind = event.kind
        if kind == "head":
            self._api = event.name
            self.head.update(event.value)
        elif kind == "usage":
            self.usage = event.value if event.name is None else self.usage
        elif kind != "error":
            choice = self.choices.get(event.choice)
            if choice is None:
                choice = self.choices[event.choice] = GrowingChoice()
            choice.add(event)

    def response(self) -> Response:
        """Return the response so far."""
        native = {name: value for name, value in self.head.items() if name not in HEAD}
        choices = tuple(choice.choice(index, self._api) for index, choice in sorted(self.choices.items()))
        head = {name: self.head[name] for name in HEAD if name in self.head}
        return Response(choices, self.usage, **head, native=native_of(self._api, native))


def native_of(api: str | None, fields: Mapping[str, Any]) -> FrozenMap:
    """Return the ``native`` of a value that came from an API; its name stands there without fields, too.

    >>> native_of("chat", {"service_tier": "flex"})["chat"]["service_tier"], native_of(None, {})
    ('flex', FrozenMap({}))
    """
    return EMPTY if api is None else FrozenMap({api: FrozenMap(fields) if fields else EMPTY})


def add_up(events: Iterable[Event]) -> Response:
    """Return the response that the events of a stream amount to."""
    total = Sum()
    for event in events:
        total.add(event)
    return total.response()


def events_of(response: Response) -> Iterator[Event]:
    """Yield the events that a whole response amounts to: every part in one piece.

    >>> hello = Response((ResponseChoice(Message("assistant", "Hi"), "stop"),), model="m")
    >>> [event.kind for event in events_of(hello)]
    ['head', 'start', 'text', 'finish']
    """
    head = {name: getattr(response, name) for name in HEAD if getattr(response, name) is not None}
    yield Event("head", name=next(iter(response.native), None), value=head)
    for choice in response.choices:
        yield Event("start", choice.index, choice.message.role)
        yield from _events_of_parts(choice)
        yield Event("finish", choice.index, choice.finish_reason or "stop")
    if response.usage is not None:
        yield Event("usage", value=response.usage)


def _events_of_parts(choice: ResponseChoice) -> Iterator[Event]:
    calls, stated = 0, choice.logprobs
    for number, part in enumerate(choice.message.parts):
        if isinstance(part, TextPart):
            yield Event("text", choice.index, part.text, number, value=stated)
            stated = None
        elif isinstance(part, ReasoningPart):
            yield Event("reasoning", choice.index, part.text, number)
        elif isinstance(part, RefusalPart):
            yield Event("refusal", choice.index, part.text)
        elif isinstance(part, ToolCall):
            yield Event("call", choice.index, part.arguments, calls, part.id, part.name, {"type": part.type})
            calls += 1
        else:
            yield Event("part", choice.index, value=part)


class _Piece:
    """One part of a message while it grows."""

    __slots__ = ("event", "id", "names", "native", "texts")

    def __init__(self, event: Event) -> None:
        self.event, self.texts = event, [event.text]
        self.id, self.names, self.native = event.id, [event.name or ""], dict[str, Any](event.value or {})

    def grow(self, event: Event) -> None:
        self.texts.append(event.text)
        self.id = self.id or event.id
        self.names.append(event.name or "")
        self.native |= event.value or {}

    def part(self, api: str | None) -> Part:
        text, kind = "".join(self.texts), self.event.kind
        if kind == "call":
            more = {name: value for name, value in self.native.items() if name != "type"}
            native = native_of(api, more) if more else EMPTY
            return ToolCall(self.id or "", "".join(self.names), text, self.native.get("type", "function"), native)
        if kind == "reasoning":
            fields = self.native | ({"field": self.event.name} if self.event.name else {})
            origin = None if api in _SHARED else api
            return ReasoningPart(text, origin, native_of(api, fields) if fields else EMPTY)
        made = native_of(api, self.native) if self.native else EMPTY
        return RefusalPart(text, made) if kind == "refusal" else TextPart(text, made)


class GrowingChoice:
    """One reply while its events arrive: parts in the order in which they began, calls in that of their numbers."""

    __slots__ = ("_calls", "_logprobs", "_of_message", "_other", "_parts", "begun", "finish_reason", "role")

    def __init__(self) -> None:
        self.begun = False
        self.role = "assistant"
        self.finish_reason: str | None = None
        self._parts: list[_Piece | Part] = []
        self._calls: dict[int, _Piece] = {}
        self._logprobs: dict[str, Any] | None = None
        self._of_message: dict[str, Any] = {}
        self._other: dict[str, Any] = {}

    def add(self, event: Event) -> None:
        """Take one event of this reply."""
        kind = event.kind
        if kind == "text":
            if event.text:
                self._add_piece(event)
            if event.value is not None:
                self._logprobs = joined_lists(self._logprobs, event.value)
        elif kind == "start":
            self.begun, self.role = True, event.text or self.role
        elif kind == "finish":
            self.finish_reason = event.text
        elif kind == "part":
            self._parts.append(event.value)
        elif kind == "call":
            self._add_call(event)
        elif kind == "more":
            self._add_more(event)
        elif kind == "other":
            fields = self._of_message if event.name == "message" else self._other
            fields |= {name: joined(fields.get(name), value) for name, value in event.value.items()}
        elif event.text:
            self._add_piece(event)

    def _add_piece(self, event: Event) -> None:
        last = self._parts[-1] if self._parts else None
        same = (event.kind, event.name, event.call)
        if type(last) is _Piece and (last.event.kind, last.event.name, last.event.call) == same:
            last.texts.append(event.text)
        else:
            self._parts.append(_Piece(event._replace(value=None)))

    def _add_more(self, event: Event) -> None:
        texts = [piece for piece in self._parts if type(piece) is _Piece and piece.event.kind != "call"]
        if texts:
            piece = next((one for one in reversed(texts) if one.event.call == event.call), texts[-1])
            piece.native |= {name: joined(piece.native.get(name), value) for name, value in event.value.items()}

    def _add_call(self, event: Event) -> None:
        if event.call in self._calls:
            self._calls[event.call].grow(event)
        else:
            self._calls[event.call] = piece = _Piece(event)
            self._parts.append(piece)

    def choice(self, index: int, api: str | None) -> ResponseChoice:
        """Return the reply so far."""
        calls = iter([self._calls[number] for number in sorted(self._calls)])
        ordered = [next(calls) if _is_call(piece) else piece for piece in self._parts]
        parts = [piece.part(api) if isinstance(piece, _Piece) else piece for piece in ordered]
        texts = (RefusalPart, ReasoningPart, ToolCall, TextPart)
        is_list = any(not isinstance(part, texts) for part in parts)
        message = Message.of(
            self.role,
            parts if parts else (TextPart(""),),
            is_list=is_list,
            native=native_of(api, self._of_message),
        )
        return ResponseChoice(message, self.finish_reason, index, self._logprobs, native_of(api, self._other))


def _is_call(piece: _Piece | Part) -> bool:
    return isinstance(piece, _Piece) and piece.event.kind == "call"


def joined_lists(before: dict[str, Any] | None, more: Mapping[str, Any]) -> dict[str, Any]:
    """Join the log probabilities of chunks: every list in them grows."""
    if before is None:
        return {name: [*value] if isinstance(value, list) else value for name, value in more.items()}
    for name, value in more.items():
        known = before.get(name)
        if isinstance(known, list) and isinstance(value, list):
            known.extend(value)
        elif known is None:
            before[name] = [*value] if isinstance(value, list) else value
    return before


def joined(before: Any, more: Any) -> Any:
    """Return what the values of a field in two chunks make: lists and texts grow, objects field by field.

    >>> joined({"id": "a", "transcript": "Hel"}, {"transcript": "lo"})
    {'id': 'a', 'transcript': 'Hello'}
    """
    if isinstance(before, list) and isinstance(more, list):
        return before + more
    if isinstance(before, Mapping) and isinstance(more, Mapping):
        grown = {name: joined(before.get(name), more[name]) for name in more if name in _GROWING}
        return {**before, **more, **grown}
    if isinstance(before, str) and isinstance(more, str):
        return before if before == more else before + more
    return before if more is None else more
