"""Items of OpenAI Responses as messages, and back: what the assistant says and does in one turn is one message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ...errors import FormatError
from ...model import (
    EMPTY,
    FrozenMap,
    Message,
    OtherPart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCall,
)
from .. import api
from ..api import Reader, Writer
from ..fields import NOTE, natives
from ..turns import INSIDE, LIST
from .tables import ANSWERED, ITEMS, MESSAGE, OUTPUTS, PLAIN, SAID

#: A part that is an item of its own, and no content of a message.
ITEM: Final = f"{NOTE}item"
#: The messages of a body have no type.
BARE: Final = f"{NOTE}bare"
#: A message differs from the others in that it has a type, or none; a result is one of a custom tool.
_ODD: Final = f"{NOTE}odd"
_CUSTOM: Final = f"{NOTE}custom"
#: How the texts of a reasoning item were cut.
_CUTS: Final = f"{NOTE}cuts"
_ROLES: Final = ("user", "assistant", "system", "developer")


class Items:
    """Reads items of input, or of output, as messages: those of one turn of the assistant are one.

    In an answer results of calls are what the server ran itself: Responses' own items.
    """

    def __init__(
        self, reader: Reader, items: Any, body: dict[str, Any], root: str = "$.input", *, is_answer: bool = False
    ) -> None:
        self.reader, self.items, self.root = reader, items, root
        self.outputs = {} if is_answer else OUTPUTS
        messages = [item for item in items if isinstance(item, Mapping) and "role" in item]
        self.is_bare = bool(messages) and all("type" not in item for item in messages)
        if self.is_bare:
            body[BARE] = {"is": True}
        self._clear()

    def _clear(self) -> None:
        self.parts: list[Part] = []
        self.native: dict[str, Any] = {}
        self.is_list, self.path, self.has_message = False, "", False

    def read(self) -> Iterator[Message]:
        for index, item in enumerate(self.items):
            path = f"{self.root}[{index}]"
            if not isinstance(item, Mapping):
                raise FormatError("an item is an object", path=path)
            kind = item.get("type", "message" if "role" in item else None)
            if kind == "message" and (plain := self._plain(item, index)) is not None:
                yield from self._flush()
                self.reader.ledger.at(plain, path, MESSAGE)
                yield plain
            elif kind == "message":
                is_alone = item.get("role") != "assistant" or item.get("content") == []
                if is_alone or self.has_message:
                    yield from self._flush()
                self._message(item, path, is_first=not index)
                if is_alone:
                    yield from self._flush(item["role"])
            elif isinstance(kind, str) and kind in self.outputs and isinstance(item.get("call_id"), str):
                yield from self._flush()
                self._output(item, path)
                yield from self._flush("tool", item["call_id"])
            else:
                self.parts.append(self._part(item, path))
                self.path = self.path or path
        yield from self._flush()

    def _plain(self, item: Mapping[str, Any], index: int) -> Message | None:
        """Return the message of an item that is a text and a turn of its own, as most are; None for any other."""
        role, text = item.get("role"), item.get("content")
        if type(text) is not str or role not in _ROLES or len(item) != (2 if self.is_bare else 3):
            return None
        if ("type" in item) is self.is_bare or (role == "system" and not index):
            return None
        is_alone = role != "assistant" or not (self.parts or self.has_message or self._goes_on(index + 1))
        return Message(role, text) if is_alone else None

    def _goes_on(self, index: int) -> bool:
        """Tell whether an item is more of the turn of the assistant before it."""
        item = self.items[index] if index < len(self.items) else None
        return item is not None and not (isinstance(item, Mapping) and "role" in item)

    def _flush(self, role: str = "assistant", call_id: str | None = None) -> Iterator[Message]:
        if self.parts or self.has_message or call_id is not None:
            native = natives("responses", self.native) if self.native else EMPTY
            made = Message.of(role, self.parts, is_list=self.is_list, native=native, tool_call_id=call_id)
            self.reader.ledger.at(made, self.path, MESSAGE if call_id is None else OUTPUTS["function_call_output"])
            yield made
            self._clear()

    def _message(self, item: Mapping[str, Any], path: str, *, is_first: bool) -> None:
        role = item.get("role")
        if role not in _ROLES:
            raise FormatError(f"{role!r} is no role of the Responses API", path=f"{path}.role")
        self.native |= {name: value for name, value in item.items() if name not in ("type", "role", "content")}
        if ("type" not in item) != self.is_bare:
            self.native[_ODD] = True
        if is_first and role == "system":
            self.native[INSIDE] = True
        self._content(item.get("content"), f"{path}.content", ANSWERED if role == "assistant" else SAID)
        self.path, self.has_message = path, True

    def _content(self, content: Any, path: str, tables: api.Tables) -> None:
        if isinstance(content, str):
            self.parts.append(part := TextPart(content))
            self.reader.ledger.at(part, path, PLAIN)
            return
        if not isinstance(content, list | tuple):
            raise FormatError("a content is text or a list of parts", path=path)
        found = [self.reader.part(part, f"{path}[{index}]", tables) for index, part in enumerate(content)]
        self.parts += found
        self.is_list = len(found) != 1
        if len(found) == 1 and type(found[0]) is TextPart:
            self.native[LIST] = True

    def _output(self, item: Mapping[str, Any], path: str) -> None:
        self.native = {name: value for name, value in item.items() if name not in ("type", "call_id", "output")}
        if item["type"] == "custom_tool_call_output":
            self.native[_CUSTOM] = True
        self._content(item.get("output"), f"{path}.output", SAID)
        self.path = path

    def _part(self, item: Mapping[str, Any], path: str) -> Part:
        part = self.reader.part(_unfold(item), path, ITEMS)
        if not isinstance(part, OtherPart):
            return part
        made = OtherPart(FrozenMap({**item, ITEM: True}), "responses")
        self.reader.ledger.at(made, path)
        return made


#: Where a reasoning item has its texts, and of which type they are.
_THOUGHTS: Final = {"summary": "summary_text", "content": "reasoning_text"}


def _is_thought(part: Mapping[str, Any], kind: str) -> bool:
    return part.keys() == {"type", "text"} and part["type"] == kind and isinstance(part["text"], str)


def _unfold(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a reasoning item with its texts as one; every other item is what it is."""
    if item.get("type") != "reasoning":
        return item
    for name, kind in _THOUGHTS.items():
        parts = item.get(name)
        texts = [part["text"] for part in parts or () if isinstance(part, Mapping) and _is_thought(part, kind)]
        if parts and len(texts) == len(parts):
            rest = {key: value for key, value in item.items() if key != name}
            return {**rest, "text": "\n".join(texts), _CUTS: {"of": name, "lengths": [*map(len, texts)]}}
    return {**item, "text": "", _CUTS: {"of": ""}}


def _fold(item: dict[str, Any]) -> dict[str, Any]:
    cuts = item.pop(_CUTS, None)
    if cuts is None:
        return item
    text = item.pop("text")
    if name := cuts["of"] or ("summary" if text else ""):
        item[name] = [{"type": _THOUGHTS[name], "text": one} for one in _cut(text, cuts.get("lengths", ()))]
    return item


def _cut(text: str, lengths: Iterable[int]) -> Iterator[str]:
    """Yield the lines of a text that have these lengths, the whole text where it is another."""
    lengths = tuple(lengths)
    if len(text) != sum(lengths) + len(lengths) - 1:
        lengths = (len(text),)
    start = 0
    for length in lengths:
        yield text[start : start + length]
        start += length + 1


class Written:
    """The items that messages become."""

    def __init__(self, writer: Writer, *, is_bare: bool = False) -> None:
        self.writer, self.is_bare = writer, is_bare
        self.items: list[dict[str, Any]] = []
        self.custom: set[str] = set()

    def write(self, messages: Iterable[Message]) -> list[dict[str, Any]]:
        before = ""
        for message in messages:
            if before == message.role == "assistant" and message.parts and _is_item(message.parts[0]):
                self.writer.ledger.lose(message, kind="merged", detail="items of the assistant are one turn")
            before = message.role
            if message.name is not None:
                self.writer.ledger.lose(message, "name", "name-dropped")
            self._output(message) if message.role == "tool" else self._turn(message)
        return self.items

    def _output(self, message: Message) -> None:
        is_custom = message.tool_call_id in self.custom or _CUSTOM in message.native.get("responses", EMPTY)
        wire = {
            "type": "custom_tool_call_output" if is_custom else "function_call_output",
            "call_id": message.tool_call_id or "",
            "output": self._content(message, message.parts, SAID),
        }
        if message.is_error is not None:
            self.writer.ledger.lose(message, "is_error")
        self.items.append(self.writer.native(message, message.native, wire))

    def _turn(self, message: Message) -> None:
        """Write the items of a turn: what is said between calls and reasoning is a message each."""
        if message.is_plain:
            kind = {} if self.is_bare else {"type": "message"}
            self.items.append({**kind, "role": message.role, "content": message.text})
            return
        said: list[Part] = []
        native: FrozenMap | None = message.native
        for part in (*message.parts, None):
            is_item = isinstance(part, ReasoningPart | ToolCall) or (
                isinstance(part, OtherPart) and ITEM in part.value
            )
            if part is not None and not is_item:
                said.append(part)
                continue
            if said or (part is None and native is not None and self._is_message(message)):
                self._message(message, said, native)
                said, native = [], None
            if part is not None:
                self._item(part)
        if native:
            self.writer.native(message, native, {})

    def _is_message(self, message: Message) -> bool:
        """Tell whether a message without contents is one nevertheless."""
        return message.is_list or not message.parts

    def _item(self, part: Part) -> None:
        if isinstance(part, ToolCall) and part.type == "custom":
            self.custom.add(part.id)
        wire = self.writer.part(part, ITEMS)
        if wire is not None:
            self.items.append(_fold({name: value for name, value in wire.items() if name != ITEM}))

    def _message(self, message: Message, parts: list[Part], native: FrozenMap | None) -> None:
        own = message.native.get("responses", EMPTY)
        is_odd = native is not None and _ODD in own
        wire: dict[str, Any] = {} if self.is_bare != is_odd else {"type": "message"}
        tables = ANSWERED if message.role == "assistant" else SAID
        wire |= {"role": message.role, "content": self._content(message, parts, tables)}
        self.items.append(self.writer.native(message, native, wire) if native else wire)

    def _content(self, message: Message, parts: Iterable[Part], tables: api.Tables) -> Any:
        parts = tuple(parts)
        is_listed = message.is_list or LIST in message.native.get("responses", EMPTY)
        if not is_listed and not parts:
            return ""
        if not is_listed and len(parts) == 1 and isinstance(parts[0], TextPart) and "responses" not in parts[0].native:
            self.writer.native(parts[0], parts[0].native, {})
            return parts[0].text
        return [wire for part in parts if (wire := self.writer.part(part, tables)) is not None]


def _is_item(part: Part) -> bool:
    return isinstance(part, ReasoningPart | ToolCall) or (isinstance(part, OtherPart) and ITEM in part.value)
