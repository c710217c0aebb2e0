"""Where the values of a request stood in its source, and what a writer could not carry of them.

A reader records the path of every object that it makes; a writer reports a loss of an object, or of
one of its fields, and the ledger says where in the source that is. Objects are known by identity, so
that a message may move; a changed copy takes over the place with :meth:`Ledger.same`. What no reader
recorded has the path of a Chat body, which is the shape of the neutral model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from copy import copy
from typing import Any, Final

from ..format import Reading
from ..loss import Loss
from ..model import (
    EMPTY,
    AudioPart,
    Conversation,
    FilePart,
    ImagePart,
    Message,
    OtherPart,
    ReasoningPart,
    RefusalPart,
    ResponseFormat,
    TextPart,
    ToolCall,
    ToolSpec,
)
from ..projection import ABSENT, is_old
from ..request import Request
from .chat.tables import CALL, CUSTOM, FORMAT, OLD_CALL, PARTS, REASONING, REFUSAL, TOOLS
from .fields import ITEMS, NOTE, Kind

#: What it is called when an object of the class is gone whole, and when one of its fields is.
GONE: Final[dict[type, str]] = {
    Message: "message-dropped",
    TextPart: "text-dropped",
    ImagePart: "media-dropped",
    AudioPart: "media-dropped",
    FilePart: "media-dropped",
    ReasoningPart: "reasoning-dropped",
    ToolCall: "tool-calls-dropped",
    RefusalPart: "text-dropped",
    OtherPart: "field-dropped",
    ToolSpec: "tools-dropped",
}
#: Where a Chat body has the fields of a value; a field that is not here goes by its own name.
_CHAT: Final[dict[type, Kind]] = {kind.cls: kind for kind in (*PARTS, *TOOLS, FORMAT, CALL, REASONING, REFUSAL)}


#: Types and fields of parts of every API that hold an image, a sound, a film or a file.
_MEDIA: Final = frozenset({
    "image", "image_url", "audio", "input_audio", "video", "document", "file", "input_image", "input_file", "fileData",
    "inlineData", "container_upload", "video_url", "audio_url",
})  # fmt: skip


def _gone(value: Any) -> str:
    if isinstance(value, OtherPart) and (value.value.get("type") in _MEDIA or not _MEDIA.isdisjoint(value.value)):
        return "media-dropped"
    return GONE.get(type(value), "field-dropped")


def _of_chat(value: Any) -> Kind | None:
    if isinstance(value, ToolCall):
        return OLD_CALL if is_old(value) else CUSTOM if value.type == "custom" else CALL
    return _CHAT.get(type(value))


class Ledger:
    """The places of one request and the losses of its way.

    >>> ledger, part = Ledger(), ImagePart("https://e.org/a.png", "low")
    >>> ledger.at(part, "$.messages[0].content[1]")
    >>> ledger.lose(part, "detail")
    >>> ledger.losses
    [Loss(path='$.messages[0].content[1].image_url.detail', kind='field-dropped', detail='')]
    """

    def __init__(self, request: Request | None = None, *, root: str = "$") -> None:
        self.losses: list[Loss] = []
        self.root = root
        #: Paths of the body as it was read, by those of the form it was given first.
        self.moved: dict[str, str] = {}
        #: Paths of the body that were read.
        self.read: Collection[str] = ()
        self.param: Callable[[str], str] = lambda name: name
        #: How the text of a prompt was read.
        self.reading: Reading | None = None
        self._request, self._is_given = request, request is not None
        self.spell: Callable[[str], str] = lambda path: path  # as the source has it, where it was laid out to be read
        self._out: dict[int, tuple[Any, Any, Kind | None]] = {}
        self._at: dict[int, tuple[Any, str, Kind | None]] = {}

    def at(self, value: Any, path: str, kind: Kind | None = None) -> None:
        """Record where a value stood, and by which table it was read."""
        self._at[id(value)] = (value, path, kind)

    def same(self, new: Any, old: Any) -> None:
        """Give a changed copy of a value the place of the value."""
        _, path, kind = self._found(old)
        self.at(new, path, kind)

    def of(self, request: Request) -> None:
        """Take the places of a request that nothing was recorded of; those of the first one stand."""
        if not self._is_given:
            self._request, self._is_given = request, True

    def moved_to(self, conversation: Conversation, losses: Iterable[Loss]) -> Iterator[Loss]:
        """Yield losses whose paths are those of the neutral conversation with their paths in the source."""
        values = [(path, value) for value, path in places(Request(conversation))]
        known = dict(values)
        for loss in losses:
            path = re.sub(r"\.reasoning\b", ".reasoning_content", loss.path)
            listed = [value for place, value in values if place.startswith(f"{path}[")]
            if path.endswith(".tool_calls"):
                old = path.replace(".tool_calls", ".function_call")
                listed = [*(value for place, value in values if place == old), *listed]
            thoughts = [value for place, value in values if place == path and isinstance(value, ReasoningPart)]
            start = next((place for place in _prefixes(path) if place in known), None)
            if path.endswith("tools") and listed:
                yield loss._replace(path=re.sub(r"\[\d+\]$", "", self.path(listed[0])))
            elif path.endswith(".tool_calls") and listed and (self.kind(listed[0]) or is_old(listed[0])):
                yield from (loss._replace(path=self.path(call)) for call in listed)
            elif len(thoughts) > 1:
                yield from (loss._replace(path=self.path(thought)) for thought in thoughts)
            else:
                yield loss if start is None else loss._replace(path=self.path(known[start], path[len(start) + 1 :]))

    def path(self, value: Any, name: str = "") -> str:
        """Return where a value stood, or one of its fields."""
        _, path, kind = self._found(value)
        kind = kind or _of_chat(value)
        inner = kind.path_of(name) if kind and name else name
        if inner == "text" and path.endswith(".content"):
            return path  # the content is the text
        return f"{path}.{inner}" if inner else path

    def kind(self, value: Any) -> Kind | None:
        """Return the table that a value was read by."""
        return self._found(value)[2]

    def wrote(self, wire: dict[str, Any], value: Any, kind: Kind | None = None) -> dict[str, Any]:
        """Record from which value an object was written, and by which table; return the object."""
        self._out[id(wire)] = (wire, value, kind)
        return wire

    def origin(self, path: str, body: Any) -> str | None:
        """Return the path in the source of a place of a written body, None where nothing was recorded there."""
        found, steps = None, re.findall(r"[^.\[\]]+", path.removeprefix("$"))
        for number, step in enumerate(steps, 1):
            body = _item(body, step)
            found = (*self._out[id(body)][1:], ".".join(steps[number:])) if id(body) in self._out else found
        if found is None:
            return None
        value, kind, inner = found
        kind = kind or _of_chat(value)
        rows = [row for row in kind.fields if row.path and f"{inner}.".startswith(f"{row.path}.")] if kind else []
        closest = max(rows, key=lambda row: len(row.path), default=None)
        return self.path(value, closest.to if closest else "")

    def lose(self, value: Any, name: str = "", kind: str = "", detail: str = "") -> None:
        """Report that a value is gone, or one of its fields."""
        kind = kind or ("field-dropped" if name else _gone(value))
        self.report(self.path(value, name), kind, detail)

    def lose_format(self, wanted: ResponseFormat, detail: str = "") -> None:
        """Report that a response format is gone, also where its type stands apart from its schema."""
        whole, type_ = (self.spelt(self.path(wanted, name)) for name in ("", "type"))
        self.lose(wanted, kind="schema-dropped", detail=detail)
        if type_ != whole and not type_.startswith(f"{whole}."):
            self.lose(wanted, "type", "schema-dropped", detail)

    def lose_natives(self, value: Any, native: Any, path: str = "") -> None:
        """Report everything that only another API says of a value."""
        _, found, kind = self._found(value)
        kind = kind or _of_chat(value)
        for place, leaf in leaves(native, path or found, kind.paths if kind else ()):
            is_old = leaf == "function" and place.endswith(".role")
            self.report(place, "renamed" if is_old else "field-dropped", "it is a tool's result" if is_old else "")

    def lose_body(self, native: Any) -> None:
        """Report everything that only another API says of a body."""
        for path, _ in leaves(native, "$", self.read):
            self.report(path, "tools-dropped" if path.endswith("]") and "tools" in path else "parameter-dropped")

    def report(self, path: str, kind: str, detail: str = "") -> None:
        """Report a loss at a path of the source."""
        loss = Loss(self.spelt(path), kind, detail)
        if loss not in self.losses:
            self.losses.append(loss)

    def spelt(self, path: str) -> str:
        """Return a path as the source has it."""
        path = self.spell(path)
        for new, old in self.moved.items():
            if path == new or path.startswith((f"{new}.", f"{new}[")):
                path = old + path[len(new) :]
        return path

    def _found(self, value: Any) -> tuple[Any, str, Kind | None]:
        known = self._at.get(id(value))
        if known is None and self._request is not None:
            request, self._request = self._request, None
            for one, path in places(request, self.root):
                self._at.setdefault(id(one), (one, path, None))
            known = self._at.get(id(value))
        return known or (value, self.root, None)


def _item(value: Any, step: str) -> Any:
    if isinstance(value, list):
        return value[int(step)] if step.isdecimal() and int(step) < len(value) else None
    return value.get(step) if isinstance(value, Mapping) else None


def distinct(request: Request) -> Request:
    """Return a request in which no value stands twice as the same object: each has a place of its own."""
    messages = request.conversation.messages
    ids = [*map(id, messages)]
    for message in messages:
        if not message.is_plain:
            ids.extend(map(id, message.parts))
    if len(ids) == len({*ids}):
        return request
    seen: set[int] = set()
    made = tuple(_distinct(message, seen) for message in messages)
    return request if all(map(_is, made, messages)) else request.replace(messages=made)


def _distinct(message: Message, seen: set[int]) -> Message:
    parts = message.parts
    # The part of a text that was a string is there only while it is asked for.
    is_made = message.is_plain or parts is not message.parts
    ids = [id(message), *(() if is_made else map(id, parts))]
    is_new = seen.isdisjoint(ids) and len({*ids}) == len(ids)
    seen.update(ids)
    if is_new:
        return message
    return message.replace(parts=parts if is_made else [*map(copy, parts)])


def _is(one: Any, two: Any) -> bool:
    return one is two


def _prefixes(path: str) -> Iterator[str]:
    """Yield a path and everything that it is inside of, the longest first."""
    while path:
        yield path
        path = re.sub(r"(\.\w+|\[\d+\])$", "", path) if re.search(r"(\.\w+|\[\d+\])$", path) else ""


def places(request: Request, root: str = "$") -> Iterator[tuple[Any, str]]:
    """Yield every value of a request with its path in a Chat body."""
    for index, message in enumerate(request.conversation.messages):
        path = f"{root}.messages[{index}]"
        yield message, path
        yield from parts(message, path)
    for index, tool in enumerate(request.conversation.tools):
        yield tool, f"{root}.tools[{index}]"
    if request.conversation.response_format is not None:
        yield request.conversation.response_format, f"{root}.response_format"


def parts(message: Message, path: str) -> Iterator[tuple[Any, str]]:
    """Yield every part of a message with its path in a Chat message."""
    if message.is_plain:
        return
    counts = {"content": 0, "tool_calls": 0}
    for part in message.parts:
        beside = _BESIDE.get(type(part))
        if isinstance(part, ToolCall) and is_old(part):
            yield part, f"{path}.function_call"
        elif isinstance(part, ReasoningPart | RefusalPart):
            yield part, f"{path}.{part.native.get('chat', EMPTY).get('field', beside)}"
        else:
            name = beside or "content"
            is_string = name == "content" and isinstance(message.content, str)
            yield part, f"{path}.content" if is_string else f"{path}.{name}[{counts[name]}]"
            counts[name] += 1


_BESIDE: Final = {ToolCall: "tool_calls", ReasoningPart: "reasoning_content", RefusalPart: "refusal"}


def leaves(value: Mapping[str, Any], path: str, read: Collection[str] = ()) -> Iterator[tuple[str, Any]]:
    """Yield path and value of everything kept of an object that says something; our own notes say nothing.

    An object of which nothing else was read (no path of ``read`` is in it) is one value, and so is an
    item of a list that was kept by itself.

    >>> kept = {"cache": {"type": "short"}, "source": {"etag": 1}, "tools": {ITEMS: {"1": {"type": "search"}}}}
    >>> [path for path, _ in leaves(kept, "$", {"source.url"})]
    ['$.cache', '$.source.etag', '$.tools[1]']
    """
    for name, item in value.items():
        inner = {one[len(name) + 1 :] for one in read if one.startswith(f"{name}.")}
        if name == ITEMS:
            yield from ((f"{path}[{index}]", one) for index, one in item.items())
        elif isinstance(item, Mapping) and (inner or name in read or _has_items(item)):
            yield from leaves(item, f"{path}.{name}", inner)
        elif not (name.startswith(NOTE) or name == "field" or _says_nothing(item)):
            yield f"{path}.{name}", item


def _has_items(value: Any) -> bool:
    return isinstance(value, Mapping) and (ITEMS in value or any(map(_has_items, value.values())))


def _says_nothing(value: Any) -> bool:
    if isinstance(value, Mapping):
        said = (item for name, item in value.items() if name == ITEMS or not name.startswith(NOTE))
        return all(map(_says_nothing, said))
    if isinstance(value, tuple | list):
        return all(map(_says_nothing, value))
    return value is None or value == "" or value == ABSENT
