"""The neutral conversation: what every format reads into and writes out of.

Rule: frozen, comparable values. They hold no ids of ours, read no clock, file or
environment, and know no wire format. Fields keep what the source said (a content
that was a string stays a string), so that writing can be proved against reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, TypeAlias, Union

#: Every role that a message may have.
ROLES: Final = ("system", "developer", "user", "assistant", "tool")
Role = Literal["system", "developer", "user", "assistant", "tool"]

Source = Literal["template", "data"]


class Span(NamedTuple):
    """Who wrote the characters ``start:end`` of a prompt.

    ``source`` is ``template`` (the author, or the text format) or ``data``;
    ``input`` names the input that the data came from, where it is one;
    ``message`` is the index of the message the characters belong to, None where
    they belong to none.
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

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return f"FrozenMap({thaw(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (FrozenMap, (thaw(self),))


def freeze(value: Any) -> Any:
    """Return a JSON value with objects as :class:`FrozenMap` and arrays as tuples."""
    if isinstance(value, FrozenMap):
        return value
    if isinstance(value, Mapping):
        return FrozenMap(value)
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    return value


def thaw(value: Any) -> Any:
    """Return the plain dicts and lists of a frozen JSON value."""
    if isinstance(value, FrozenMap):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [thaw(item) for item in value]
    return value


EMPTY: Final = FrozenMap()


@dataclass(frozen=True, slots=True)
class TextPart:
    """A text among the parts of a content."""

    text: str


@dataclass(frozen=True, slots=True)
class ImagePart:
    """An image by address: ``url`` is https or a ``data:`` URL; ``detail`` as in the Chat API."""

    url: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class AudioPart:
    """Audio as base64 ``data`` in ``format`` (wav, mp3)."""

    data: str
    format: str = "wav"


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file by ``file_id``, or as a ``data:`` URL in ``data`` with its ``filename``."""

    data: str | None = None
    filename: str | None = None
    file_id: str | None = None


@dataclass(frozen=True, slots=True)
class OtherPart:
    """A part that this model has no class for, kept as it was: ``value`` is its JSON object."""

    value: FrozenMap


Part: TypeAlias = Union[TextPart, ImagePart, AudioPart, FilePart, OtherPart]
#: A content is a string, several parts, or absent: kept apart, as the wire does.
Content: TypeAlias = Union[str, tuple[Part, ...], None]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the assistant asks for; ``arguments`` is the JSON text as it was sent."""

    id: str
    name: str
    arguments: str = "{}"


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A function offered to the model; ``parameters`` is its JSON Schema."""

    name: str
    description: str | None = None
    parameters: FrozenMap | None = None
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """What the reply must look like; ``schema`` and ``name`` go with ``json_schema``."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    name: str | None = None
    schema: FrozenMap | None = None
    strict: bool | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message. A tool result is a message of role ``tool`` with its ``tool_call_id``.

    ``reasoning`` is the thinking that a model showed; ``extra`` keeps the fields
    that no other field here stands for.

    >>> Message("user", "Hello").text
    'Hello'
    """

    role: str
    content: Content = None
    name: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    reasoning: str | None = None
    extra: FrozenMap = field(default=EMPTY)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The content as parts: a string is one text part, an absent content none."""
        if self.content is None:
            return ()
        return (TextPart(self.content),) if isinstance(self.content, str) else self.content

    @property
    def text(self) -> str:
        """The text parts joined without a separator, as the Chat API bills them."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))


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
