"""Where the values of a request stood in its source, and what a writer could not carry of them.

A reader records the path of every object that it makes; a writer reports a loss of an object, or of
one of its fields, and the ledger says where in the source that is. Objects are known by identity, so
that a message may move; a changed copy takes over the place with :meth:`Ledger.same`. What no reader
recorded has the path of a Chat body, which is the shape of the neutral model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ..loss import Loss
from ..model import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    OtherPart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolSpec,
)
from ..projection import ABSENT
from ..request import Request
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
#: Where a Chat body has the fields of a value, by class; a field that is not here goes by its own name.
CHAT: Final[dict[type, dict[str, str]]] = {
    ToolCall: {"name": "function.name", "arguments": "function.arguments"},
    ImagePart: {"url": "image_url.url", "detail": "image_url.detail"},
    AudioPart: {"data": "input_audio.data", "format": "input_audio.format"},
    FilePart: {"data": "file.file_data", "filename": "file.filename", "file_id": "file.file_id"},
    ToolSpec: {
        "name": "function.name",
        "description": "function.description",
        "parameters": "function.parameters",
        "strict": "function.strict",
    },
    ReasoningPart: {"text": ""},
    RefusalPart: {"text": ""},
}


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
        self.param: Callable[[str], str] = lambda name: name
        self.spell: Callable[[str], str] = lambda path: path  # as the source has it, where it was laid out to be read
        self._request = request
        self._at: dict[int, tuple[Any, str, Kind | None]] = {}

    def at(self, value: Any, path: str, kind: Kind | None = None) -> None:
        """Record where a value stood, and by which table it was read."""
        self._at[id(value)] = (value, path, kind)

    def same(self, new: Any, old: Any) -> None:
        """Give a changed copy of a value the place of the value."""
        _, path, kind = self._found(old)
        self.at(new, path, kind)

    def of(self, request: Request) -> None:
        """Take the places of a request that nothing was recorded of."""
        self._request = request

    def path(self, value: Any, name: str = "") -> str:
        """Return where a value stood, or one of its fields."""
        _, path, kind = self._found(value)
        inner = kind.path_of(name) if kind and name else CHAT.get(type(value), {}).get(name, name)
        return f"{path}.{inner}" if inner else path

    def lose(self, value: Any, name: str = "", kind: str = "", detail: str = "") -> None:
        """Report that a value is gone, or one of its fields."""
        kind = kind or ("field-dropped" if name else GONE.get(type(value), "field-dropped"))
        self.report(self.path(value, name), kind, detail)

    def lose_natives(self, value: Any, native: Any, path: str = "") -> None:
        """Report everything that only another API says of a value."""
        path = path or self._found(value)[1]
        for place, _ in leaves(native, path):
            self.report(place, "field-dropped")

    def report(self, path: str, kind: str, detail: str = "") -> None:
        """Report a loss at a path of the source."""
        loss = Loss(self.spell(path), kind, detail)
        if loss not in self.losses:
            self.losses.append(loss)

    def _found(self, value: Any) -> tuple[Any, str, Kind | None]:
        known = self._at.get(id(value))
        if known is None and self._request is not None:
            request, self._request = self._request, None
            for one, path in places(request, self.root):
                self._at.setdefault(id(one), (one, path, None))
            known = self._at.get(id(value))
        return known or (value, self.root, None)


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
        if beside in ("reasoning_content", "refusal"):
            yield part, f"{path}.{beside}"
        else:
            name = beside or "content"
            is_string = name == "content" and isinstance(message.content, str)
            yield part, f"{path}.content" if is_string else f"{path}.{name}[{counts[name]}]"
            counts[name] += 1


_BESIDE: Final = {ToolCall: "tool_calls", ReasoningPart: "reasoning_content", RefusalPart: "refusal"}


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield path and value of every leaf that says something; our own notes say nothing.

    An item of a list that was kept by itself is one leaf.

    >>> list(leaves({"cache": {"type": "short"}, "tools": {ITEMS: {"1": {"type": "search"}}}}, "$"))
    [('$.cache.type', 'short'), ('$.tools[1]', {'type': 'search'})]
    """
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name == ITEMS:
                yield from ((f"{path}[{index}]", one) for index, one in item.items())
            elif not name.startswith(NOTE) and name != "field":
                yield from leaves(item, f"{path}.{name}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    elif value is not None and value != "" and value != ABSENT:
        yield path, value
