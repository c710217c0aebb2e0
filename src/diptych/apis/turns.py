"""Messages as turns of blocks: Anthropic, Bedrock and Gemini.

Rule: a turn has a role and a list of blocks. A result of a tool is a block of a user turn; in the
neutral model it is a message of its own, in its place among the others. Messages that stood in one
turn carry a note, so that they are written as one turn again; without notes neighbouring results
share a turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from typing import Any, Final

from ..errors import FormatError
from ..model import (
    EMPTY,
    ContentPart,
    Cue,
    FrozenMap,
    Message,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    thaw,
)
from ..request import Request
from .api import Reader, Writer
from .fields import MISSING, NOTE, Field, Kind, dig, natives, place

#: The message stood in one turn with the message before it, or in a turn of its own although it could have.
JOINED: Final = f"{NOTE}joined"
#: A system message that stood among the turns.
INSIDE: Final = f"{NOTE}inside"
#: What the API says of a turn that begins with a result.
TURN: Final = f"{NOTE}turn"
#: The content was a list, although a string would say the same.
LIST: Final = f"{NOTE}list"
_BESIDE: Final = (ReasoningPart, ToolCall, RefusalPart)


def elsewhere(value: Any) -> None:
    """Read nothing: a function of the API's own reads the field of this row."""


@dataclass(frozen=True)
class Shape:
    """How an API writes its turns.

    ``result`` is the block of a tool's result, whose content stands at ``result_at``; ``strings``
    says that a content may be a string. ``roles`` maps the roles of the API to the neutral ones.
    """

    result: Kind
    result_at: str = "content"
    content: str = "content"
    strings: bool = True
    roles: Mapping[str, str] = field(default_factory=lambda: {"user": "user", "assistant": "assistant"})

    @cached_property
    def turn(self) -> Kind:
        """Where a turn says what a message says."""
        return Kind(Message, (Field("role", "role", elsewhere), Field(self.content, "content", elsewhere)))

    @cached_property
    def written(self) -> dict[str, str]:
        """The roles of the API by the neutral ones; a result is said by the user."""
        names = {neutral: name for name, neutral in reversed([*self.roles.items()])}
        return {**names, "tool": names["user"], "system": names["user"], "developer": names["user"]}


# reading -----------------------------------------------------------------------------------------


def read_turns(reader: Reader, shape: Shape, turns: Any, path: str) -> Iterator[Message]:
    """Read a list of turns. Raises FormatError with a path."""
    if not isinstance(turns, list | tuple):
        raise FormatError("messages are a list", path=path)
    before: Message | None = None
    for index, turn in enumerate(turns):
        if (plain := _plain(reader, shape, turn)) is not None:
            reader.ledger.at(plain, f"{path}[{index}]", shape.turn)
            yield plain
            before = plain
            continue
        for message in _read_turn(reader, shape, turn, f"{path}[{index}]", before):
            yield message
            before = message


def _plain(reader: Reader, shape: Shape, turn: Any) -> Message | None:
    """Return the message of a turn that is a role and a text, as most are; None for any other."""
    if type(turn) is not dict or len(turn) != 2:
        return None
    said, content = turn.get("role"), turn.get(shape.content)
    role = shape.roles.get(said) if isinstance(said, str) else None
    if not shape.strings and type(content) is list and len(content) == 1 and not reader.api.kinds[TextPart][0].fixed:
        block = content[0]
        content = block.get("text") if type(block) is dict and len(block) == 1 else None
    elif not shape.strings:
        return None
    return Message(role, content) if type(content) is str and role in ("user", "assistant") else None


def _read_turn(reader: Reader, shape: Shape, turn: Any, path: str, before: Message | None) -> Iterable[Message]:
    said = turn.get("role") if isinstance(turn, Mapping) else None
    if not isinstance(said, str) or said not in shape.roles:
        raise FormatError(f"a message has the role {' or '.join(shape.roles)}", path=f"{path}.role")
    role, content = shape.roles[said], turn.get(shape.content)
    rest = {name: value for name, value in turn.items() if name not in ("role", shape.content)}
    if role == "system":
        rest[INSIDE] = True
    if isinstance(content, str) and shape.strings and not rest:
        found = [Message(role, content)]
    elif isinstance(content, str) and shape.strings:
        found = [Message.of(role, (TextPart(content),), native=natives(reader.api.name, rest))]
    elif isinstance(content, list | tuple):
        found = list(_messages(reader, shape, role, content, f"{path}.{shape.content}", rest))
    else:
        raise FormatError("a content is a list of blocks", path=f"{path}.{shape.content}")
    for message in found:
        if message.role != "tool":
            reader.ledger.at(message, path, shape.turn)
    return _noted(reader, found, before)


def _messages(
    reader: Reader, shape: Shape, role: str, blocks: Iterable[Any], path: str, rest: dict[str, Any]
) -> Iterator[Message]:
    """Yield the messages of one turn: each result is one, and what stands between them."""
    parts: list[Part] = []
    is_first = True
    for index, block in enumerate(blocks):
        place_ = f"{path}[{index}]"
        result = _read_result(reader, shape, block, place_) if role == "user" and not _is_text(block) else None
        if result is None:
            parts.append(reader.part(block, place_))
            continue
        if parts:
            yield message_of(reader, shape, role, parts, rest if is_first else {})
            is_first, parts = False, []
        if is_first and rest:
            copy = result.replace(native=_native(result, reader.api.name, {TURN: rest}))
            reader.ledger.same(copy, result)
            result = copy
        yield result
        is_first = False
    if parts or is_first:
        yield message_of(reader, shape, role, parts, rest if is_first else {})


def _is_text(block: Any) -> bool:
    """Tell whether a block is a text and nothing else, as most are."""
    is_alone = type(block) is dict and len(block) == ("text" in block) + ("type" in block)
    return is_alone and type(block.get("text")) is str and block.get("type", "text") == "text"


def message_of(reader: Reader, shape: Shape, role: str, parts: list[Part], rest: dict[str, Any]) -> Message:
    """Return the message of these parts; ``rest`` is what only this API says of it."""
    fields = _as_list(shape, parts)
    native = rest | ({LIST: True} if fields.pop("noted") else {})
    return Message.of(role, parts, native=natives(reader.api.name, native) if native else EMPTY, **fields)


def _as_list(shape: Shape, parts: list[Part]) -> dict[str, Any]:
    """Say whether the content of these parts is a list in the neutral model, and whether that needs a note."""
    content = [part for part in parts if not isinstance(part, _BESIDE)]
    is_list = len(content) > 1 or not parts
    is_text = len(parts) == 1 and type(parts[0]) is TextPart and not parts[0].native
    return {"is_list": is_list, "noted": is_text and shape.strings}


def _read_result(reader: Reader, shape: Shape, block: Any, path: str) -> Message | None:
    if not isinstance(block, Mapping):
        return None
    content = dig(block, shape.result_at)
    bound = shape.result.bind(_without(block, shape.result_at))
    if bound is None or not (content is MISSING or isinstance(content, list | tuple | str)):
        return None
    fields, rest = bound
    native = {} if rest is MISSING else rest
    if isinstance(content, str):
        parts: list[Part] = [TextPart(content)]
    else:
        at, blocks = f"{path}.{shape.result_at}", () if content is MISSING else content
        parts = [reader.part(part, f"{at}[{index}]") for index, part in enumerate(blocks)]
        listed = _as_list(shape, parts)
        fields["is_list"] = listed["is_list"] and content is not MISSING
        native |= {LIST: True} if listed["noted"] else {}
    made = Message.of("tool", parts, native=natives(reader.api.name, native) if native else EMPTY, **fields)
    reader.ledger.at(made, path, shape.result)
    return made


def _without(value: Mapping[str, Any], path: str) -> dict[str, Any]:
    head, _, inner = path.partition(".")
    if not inner or not isinstance(value.get(head), Mapping):
        return {name: item for name, item in value.items() if name != path}
    return {**value, head: _without(value[head], inner)}


def _native(message: Message, api: str, more: Mapping[str, Any]) -> FrozenMap:
    return FrozenMap({**message.native, api: {**message.native.get(api, EMPTY), **more}})


def _noted(reader: Reader, found: list[Message], before: Message | None) -> list[Message]:
    """Note which messages shared a turn where the rule would say otherwise."""
    noted = []
    for index, message in enumerate(found):
        previous = found[index - 1] if index else before
        is_joined = bool(index)
        if previous is not None and is_joined != _joins(previous, message):
            copy = message.replace(native=_native(message, reader.api.name, {JOINED: is_joined}))
            reader.ledger.same(copy, message)
            message = copy
        noted.append(message)
    return noted


def _joins(before: Message, message: Message) -> bool:
    """Tell whether two messages share a turn by the rule: neighbouring results do."""
    return before.role == message.role == "tool"


# writing -----------------------------------------------------------------------------------------


def write_turns(writer: Writer, shape: Shape, messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Write messages as turns."""
    turns: list[dict[str, Any]] = []
    before: Message | None = None
    for message in messages:
        turn = _write_turn(writer, shape, message)
        if before is not None and turns[-1]["role"] == turn["role"] and _is_joined(writer, before, message):
            _join(turns[-1], turn, shape)
        else:
            turns.append(turn)
        before = message
    return turns


def _write_turn(writer: Writer, shape: Shape, message: Message) -> dict[str, Any]:
    if message.role in ("user", "assistant") and (text := message.plain_text) is not None:
        content = text if shape.strings else [writer.text(text)]
        plain = {"role": shape.written[message.role], shape.content: content}
        return writer.ledger.wrote(plain, message, shape.turn)
    own = writer.own(message)
    role = "system" if own.get(INSIDE) else shape.written[message.role]
    if message.role in ("system", "developer") and not own.get(INSIDE):
        writer.ledger.lose(message, "role", "role-changed", f"{message.role} became user")
    if message.role == "tool":
        return {"role": role, shape.content: [_write_result(writer, shape, message)], **thaw(own.get(TURN, EMPTY))}
    turn = {"role": role, shape.content: write_content(writer, shape, message, message.parts)}
    return writer.ledger.wrote(_beside(writer, message, turn), message, shape.turn)


def _is_joined(writer: Writer, before: Message, message: Message) -> bool:
    """Tell whether a message shares the turn of the one before it: it did in its source, or by the rule."""
    said = next((one[JOINED] for one in message.native.values() if JOINED in one), None)
    if said is not None and (writer.api.name in message.native or said):
        return bool(said)
    return _joins(before, message)


def _join(turn: dict[str, Any], more: dict[str, Any], shape: Shape) -> None:
    blocks = turn[shape.content]
    before = [{"type": "text", "text": blocks}] if isinstance(blocks, str) else blocks
    after = more[shape.content]
    turn |= {name: value for name, value in more.items() if name not in turn}
    turn[shape.content] = [*before, *([{"type": "text", "text": after}] if isinstance(after, str) else after)]


def write_content(writer: Writer, shape: Shape, message: Message, parts: tuple[Part | ContentPart, ...]) -> Any:
    """Write a content: a string where it was one and the API has strings, else blocks."""
    is_listed = message.is_list or message.native.get(writer.api.name, EMPTY).get(LIST, False)
    if shape.strings and not is_listed:
        if not parts:
            return ""
        if len(parts) == 1 and type(parts[0]) is TextPart and not parts[0].native:
            return parts[0].text
    if message.is_plain:
        return [writer.text(message.text)]
    return [block for part in parts if (block := writer.part(part)) is not None]


def _beside(writer: Writer, message: Message, wire: dict[str, Any]) -> dict[str, Any]:
    """Add what a message has beside its content, and report what has no place."""
    if message.name is not None:
        writer.ledger.lose(message, "name", "name-dropped")
    return writer.native(message, message.native, wire) if message.native else wire


def _write_result(writer: Writer, shape: Shape, message: Message) -> dict[str, Any]:
    values = {"tool_call_id": message.tool_call_id or "", "name": message.name, "is_error": message.is_error}
    wire = shape.result.put(values)
    for name in shape.result.unplaced(values):
        writer.ledger.lose(message, name, "name-dropped" if name == "name" else "")
    if message.parts or message.is_list:
        place(wire, shape.result_at, write_content(writer, shape, message, message.parts))
    wire = writer.native(message, message.native, wire)
    wire.pop(TURN, None)
    return writer.ledger.wrote(wire, message, shape.result)


# text of the system ------------------------------------------------------------------------------


def _is_before(writer: Writer, message: Message) -> bool:
    """Tell whether a message is text of the system that stands beside the messages."""
    return message.role in ("system", "developer") and INSIDE not in writer.own(message)


def write_beside_system(shape: Shape, writer: Writer, request: Request) -> dict[str, Any]:
    """Write the messages of a request: what the system says before all turns stands beside them."""
    messages = request.conversation.messages
    system = list(takewhile(lambda message: _is_before(writer, message), messages))
    wire: dict[str, Any] = {"system": _write_system(writer, shape, system)} if system else {}
    return {**wire, "messages": write_turns(writer, shape, messages[len(system) :])}


def _write_system(writer: Writer, shape: Shape, messages: list[Message]) -> Any:
    """Write the text of the system: a string where it is one and the API has strings, else a block per part."""
    for index, message in enumerate(messages):
        if message.role != "system":
            writer.ledger.lose(message, "role", "role-changed", f"{message.role} became system")
        if index:
            writer.ledger.lose(message, kind="merged", detail="one system text holds several messages")
        _beside(writer, message, {})
    if len(messages) == 1:
        return write_content(writer, shape, messages[0], messages[0].parts)
    return [block for message in messages for part in message.parts if (block := writer.part(part)) is not None]


def open_end(messages: tuple[Message, ...]) -> Cue:
    """Return what the last message asks for, where a server goes on with a reply that was begun."""
    return "continue" if messages and messages[-1].role == "assistant" else "none"
