"""The neutral conversation: what every format reads into and writes out of.

Rule: frozen, comparable values. They hold no ids of ours, read no clock, file or
environment, and know no wire format. Fields keep what the source said (a content
that was a string stays a string), so that writing can be proved against reading.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, TypeAlias, Union, cast, final

#: Every role that a message may have.
ROLES: Final = ("system", "developer", "user", "assistant", "tool")

Source = Literal["template", "data"]


class Span(NamedTuple):
    """Who wrote the characters ``start:end`` of a prompt.

    ``source`` is ``template`` (the author, or the text format) or ``data``;
    ``input`` names the input that the data came from, where it is one;
    ``message`` is the index of the message the characters belong to, None where
    they belong to none.

    >>> from diptych import Template
    >>> [(s.start, s.end, s.source) for s in Template.from_string("Say {{ word }}.").render(word="yes").spans]
    [(0, 4, 'template'), (4, 7, 'data'), (7, 8, 'template')]
    """

    start: int
    end: int
    source: Source
    input: str | None = None
    message: int | None = None


class Segment(NamedTuple):
    """A run of text with one author: the form in which provenance travels."""

    text: str
    source: Source
    input: str | None = None


class FrozenMap(Mapping[str, Any]):
    """A JSON object that cannot be changed: ordered, comparable, hashable, picklable.

    >>> FrozenMap({"a": [1, 2]})["a"]
    (1, 2)
    """

    __slots__ = ("_items",)
    _items: dict[str, Any]

    def __init__(self, items: Mapping[str, Any] | None = None) -> None:
        object.__setattr__(self, "_items", {k: freeze(v) for k, v in (items or {}).items()})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a FrozenMap cannot be changed")

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    # What Mapping makes of these three takes several times as long, and nothing is asked more often.

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, ``default`` where there is none."""
        return self._items.get(key, default)

    def keys(self) -> KeysView[str]:
        """Return the keys."""
        return self._items.keys()

    def items(self) -> ItemsView[str, Any]:
        """Return the keys with their values."""
        return self._items.items()

    def values(self) -> ValuesView[Any]:
        """Return the values."""
        return self._items.values()

    def __eq__(self, other: object) -> bool:
        if type(other) is FrozenMap:
            return self._items == other._items
        return self._items == dict(other) if isinstance(other, Mapping) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return f"FrozenMap({thaw(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (FrozenMap, (thaw(self),))


#: What is frozen as it is: nearly every value inside a JSON value.
_FROZEN: Final = frozenset({str, int, float, bool, type(None), FrozenMap})


def freeze(value: Any) -> Any:
    """Return a JSON value with objects as :class:`FrozenMap` and arrays as tuples."""
    if type(value) in _FROZEN:
        return value
    if isinstance(value, Mapping):
        return FrozenMap(value)
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    return value


def thaw(value: Any) -> Any:
    """Return the plain dicts and lists of a frozen JSON value."""
    if type(value) is FrozenMap:
        return {key: thaw(item) for key, item in value._items.items()}
    if type(value) is tuple:
        return [thaw(item) for item in value]
    return value


EMPTY: Final = FrozenMap()


@dataclass(frozen=True, slots=True)
class TextPart:
    """A text among the parts of a message.

    ``native`` of any part maps the name of an API to what only that API says of it
    (``native["anthropic"]["cache_control"]``).
    """

    text: str
    native: FrozenMap = EMPTY


@dataclass(frozen=True, slots=True)
class ImagePart:
    """An image by address: ``url`` is https or a ``data:`` URL; ``detail`` as in the Chat API."""

    url: str
    detail: str | None = None
    native: FrozenMap = EMPTY


@dataclass(frozen=True, slots=True)
class AudioPart:
    """Audio as base64 ``data`` in ``format`` (wav, mp3)."""

    data: str
    format: str = "wav"
    native: FrozenMap = EMPTY


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file by ``file_id``, by ``url``, or as a ``data:`` URL in ``data`` with its ``filename``."""

    data: str | None = None
    filename: str | None = None
    file_id: str | None = None
    native: FrozenMap = EMPTY
    url: str | None = None


@dataclass(frozen=True, slots=True)
class ReasoningPart:
    """Reasoning that a model showed; ``origin`` names the API that it came from, where that is known."""

    text: str
    origin: str | None = None
    native: FrozenMap = EMPTY


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the assistant asks for.

    ``arguments`` is the JSON text as it was sent; of a ``custom`` tool it is the input, any text.

    >>> ToolCall("call_1", "weather", '{"city": "Paris"}').name
    'weather'
    """

    id: str
    name: str
    arguments: str = "{}"
    type: Literal["function", "custom"] = "function"
    native: FrozenMap = EMPTY


@dataclass(frozen=True, slots=True)
class RefusalPart:
    """The words in which a model refuses."""

    text: str
    native: FrozenMap = EMPTY


@dataclass(frozen=True, slots=True)
class OtherPart:
    """A part that this model has no class for, kept as it was: ``value`` is its JSON object, of the API ``api``."""

    value: FrozenMap
    api: str = "chat"


#: What Chat calls the content of a message.
ContentPart: TypeAlias = Union[TextPart, ImagePart, AudioPart, FilePart, OtherPart]
#: What a message consists of, in its order.
Part: TypeAlias = Union[ContentPart, ReasoningPart, ToolCall, RefusalPart]
#: The content of a Chat message is a string, several parts, or absent: kept apart, as the wire does.
Content: TypeAlias = Union[str, tuple[ContentPart, ...], None]


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A function offered to the model; ``parameters`` is its JSON Schema.

    >>> ToolSpec("weather", "Tells the weather.").description
    'Tells the weather.'
    """

    name: str
    description: str | None = None
    parameters: FrozenMap | None = None
    strict: bool | None = None
    native: FrozenMap = EMPTY


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """What the reply must look like; ``schema`` and ``name`` go with ``json_schema``.

    >>> from diptych import Template
    >>> source = "---\\nresponse_format: json_object\\n---\\nAnswer in JSON: {{ question }}"
    >>> Template.from_string(source).render(question="2 + 2?").response_format.type
    'json_object'
    """

    type: Literal["text", "json_object", "json_schema"] = "text"
    name: str | None = None
    schema: FrozenMap | None = None
    strict: bool | None = None
    description: str | None = None


_BESIDE: Final = (ReasoningPart, ToolCall, RefusalPart)


class _Fields:
    """The fields of a message while it is made.

    Its class becomes :class:`Message` as soon as all are set: to set them past the guard of
    a frozen class takes four times as long, and there is nothing that is made more often.
    """

    __slots__ = ("_parts", "_text", "is_error", "is_list", "name", "native", "role", "tool_call_id")
    role: str
    name: str | None
    tool_call_id: str | None
    is_list: bool
    is_error: bool | None
    native: FrozenMap
    _text: str | None  # the whole message where it is one plain string: by far the most frequent case
    _parts: tuple[Part, ...] | None


@final
class Message(_Fields):
    """One message: a role and ordered parts. A tool result is a message of role ``tool`` with its ``tool_call_id``.

    ``parts`` holds texts, media, reasoning, tool calls and refusals in their order; ``content``,
    ``tool_calls``, ``reasoning`` and ``extra`` are what the Chat API says of them, read-only.
    A message is made from either: from the fields of Chat (reasoning first, then content, then
    calls), or with :meth:`of` from parts. ``is_list`` is true where the content was a list of
    parts, so that a string stays a string; ``is_error`` says of a tool result whether the tool
    failed. ``native`` maps the name of an API to what only that API says of the message.

    >>> Message("user", "Hello").text
    'Hello'
    >>> Message.of("assistant", (TextPart("Let me look."), ToolCall("c1", "look"))).content
    'Let me look.'
    """

    __slots__ = ()

    def __new__(
        cls,
        role: str,
        content: Content = None,
        name: str | None = None,
        tool_calls: tuple[ToolCall, ...] = (),
        tool_call_id: str | None = None,
        reasoning: str | None = None,
        extra: FrozenMap = EMPTY,
    ) -> Message:
        made = _Fields()
        made.is_list, made.is_error = False, None
        if type(content) is str and not tool_calls and reasoning is None:
            made._text, made._parts = content, None
        else:
            before = () if reasoning is None else (ReasoningPart(reasoning),)
            inner = (TextPart(content),) if isinstance(content, str) else content or ()
            made._text, made._parts = None, (*before, *inner, *tool_calls)
            made.is_list = not isinstance(content, str) and content is not None
        made.role, made.name, made.tool_call_id = role, name, tool_call_id
        made.native = EMPTY if extra is EMPTY or not extra else FrozenMap({"chat": extra})
        made.__class__ = cls
        return made  # type: ignore[return-value]

    @classmethod
    def of(
        cls,
        role: str,
        parts: Iterable[Part],
        *,
        name: str | None = None,
        tool_call_id: str | None = None,
        is_list: bool = False,
        native: FrozenMap = EMPTY,
        is_error: bool | None = None,
    ) -> Message:
        """Return the message of these parts, in their order."""
        made, parts = _Fields(), tuple(parts)
        is_plain = len(parts) == 1 and not is_list and type(parts[0]) is TextPart and not parts[0].native
        made._text = parts[0].text if is_plain else None  # type: ignore[union-attr]
        made._parts = None if is_plain else parts
        made.role, made.name, made.tool_call_id = role, name, tool_call_id
        made.is_list, made.native, made.is_error = is_list, native, is_error
        made.__class__ = cls
        return made  # type: ignore[return-value]

    @property
    def parts(self) -> tuple[Part, ...]:
        """Everything the message consists of, in its order."""
        return (TextPart(self._text or ""),) if self._parts is None else self._parts

    @property
    def is_plain(self) -> bool:
        """True where the message is one text that was a string, and no API has a word of its own on it."""
        return self._parts is None and (self.native is EMPTY or not self.native)

    @property
    def content_parts(self) -> tuple[ContentPart, ...]:
        """The parts without reasoning, tool calls and refusals: what Chat calls the content."""
        return tuple(part for part in self.parts if not isinstance(part, _BESIDE))

    @property
    def content(self) -> Content:
        """The content as Chat has it: a string, a tuple of parts where it was a list, or None."""
        if self._parts is None:
            return self._text
        found = self.content_parts
        if self.is_list:
            return found
        if not found:
            return None
        return self.text if all(isinstance(part, TextPart) for part in found) else found

    @property
    def text(self) -> str:
        """The text parts joined without a separator, as the Chat API bills them."""
        if self._parts is None:
            return self._text or ""
        return "".join(part.text for part in self._parts if isinstance(part, TextPart))

    @property
    def plain_text(self) -> str | None:
        """The text where the message is a role and a text, and nothing else; None where it is more.

        >>> Message("user", "Hi").plain_text, Message("user", "Hi", name="ann").plain_text
        ('Hi', None)
        """
        is_more = self.name is not None or self.tool_call_id is not None or self.native is not EMPTY
        is_more = is_more or self.is_error is not None
        return None if is_more else self._text

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls that the assistant asks for, in their order."""
        return () if self._parts is None else tuple(part for part in self._parts if isinstance(part, ToolCall))

    @property
    def reasoning(self) -> str | None:
        """The reasoning as one text; None where there is none."""
        if self._parts is None:
            return None
        found = [part.text for part in self._parts if isinstance(part, ReasoningPart)]
        return "".join(found) if found else None

    @property
    def extra(self) -> FrozenMap:
        """The fields of a Chat message that no neutral field stands for."""
        return EMPTY if self.native is EMPTY else cast("FrozenMap", self.native.get("chat", EMPTY))

    def replace(self, **changes: Any) -> Message:
        """Return a copy with other fields, by the names that :meth:`of` has for them.

        >>> Message("user", "Hi").replace(role="system").role
        'system'
        """
        fields = {name: getattr(self, name) for name in _FIELDS} | changes
        return Message.of(fields.pop("role"), fields.pop("parts"), **fields)

    def with_text(self, text: str) -> Message:
        """Return a copy whose texts are one, in the place of the first of them.

        >>> Message("user", "Hi").with_text("Hello").text
        'Hello'
        """
        at = next((i for i, part in enumerate(self.parts) if isinstance(part, TextPart)), 0)
        before, after = self.parts[:at], self.parts[at:]
        rest = [part for part in after if not isinstance(part, TextPart)]
        return self.replace(parts=(*before, TextPart(text), *rest))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Message cannot be changed", name=name, obj=self)

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a Message cannot be changed", name=name, obj=self)

    def _key(self) -> tuple[Any, ...]:
        beside = (self.role, self.name, self.tool_call_id, self.is_list, self.native, self.is_error)
        return (*beside, self._text) if self._parts is None else (*beside, self._parts)

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Message) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        body = repr(self._text) if self._parts is None else repr(self._parts)
        beside = "".join(f", {name}={value!r}" for name in _FIELDS[2:] if (value := getattr(self, name)))
        return f"Message({self.role!r}, {body}{beside})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_message, tuple(getattr(self, name) for name in _FIELDS))


_FIELDS: Final = ("role", "parts", "name", "tool_call_id", "is_list", "native", "is_error")


def _message(role: str, parts: tuple[Part, ...], *beside: Any) -> Message:
    """Rebuild a pickled message."""
    return Message.of(role, parts, **dict(zip(_FIELDS[2:], beside, strict=True)))


#: What a text asks for next: nothing, a new reply, or more of its last message.
Cue = Literal["none", "reply", "continue"]


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages in order, the tools offered, the response format, and the cue.

    >>> Conversation((Message("user", "Hi"),)).messages[0].role
    'user'
    """

    messages: tuple[Message, ...] = ()
    tools: tuple[ToolSpec, ...] = ()
    response_format: ResponseFormat | None = None
    cue: Cue = "none"


@dataclass(frozen=True, slots=True)
class Example(Conversation):
    """A row of a data set: a conversation, and what the row says of its end.

    ``messages`` run through to the answer that is to be learnt; ``answer`` is the index of
    its first message (``len(messages)``: the row asks and holds no answer; None: the row
    does not say where the prompt ends). ``rejected`` are the messages of the worse answer,
    in the place of ``messages[answer:]``. ``label`` says whether the answer is good, where
    the row does. ``id`` is a batch line's ``custom_id``, ``request`` the parameters of its body.

    >>> Example((Message("user", "2+2?"), Message("assistant", "4")), answer=1).label is None
    True
    """

    answer: int | None = None
    rejected: tuple[Message, ...] | None = None
    label: bool | None = None
    id: str | None = None
    request: FrozenMap = field(default=EMPTY)

    @classmethod
    def of(cls, conversation: Conversation) -> Example:
        """Return an example as it is, and any other conversation as one that says nothing of its end."""
        if isinstance(conversation, cls):
            return conversation
        return cls(conversation.messages, conversation.tools, conversation.response_format, conversation.cue)
