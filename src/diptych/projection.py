"""The messages of a conversation in the shape of the Chat API.

Every reading shows its conversation in this shape, so it belongs to the values: plain dicts
and lists, and the inverse of what ``apis.chat`` reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from .model import (
    AudioPart,
    ContentPart,
    Conversation,
    FilePart,
    FrozenMap,
    ImagePart,
    Message,
    OtherPart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    thaw,
)

#: Stands in ``native`` for a field that the source did not have, although writing would put it there.
ABSENT: Final = "absent"
#: There is no value. No JSON value is this.
MISSING: Final[Any] = object()
#: Begins the names in ``native`` that are our own notes, and no field of the API.
NOTE: Final = "diptych:"
#: The note that holds items of a list, by index, that stand among neutral ones.
ITEMS: Final = f"{NOTE}items"
#: The field of a call that holds its name, by the call's type, and its text beside the name.
PAYLOADS: Final = {"function": "arguments", "custom": "input"}
#: The ``native`` of a call that stands in the field before ``tool_calls``.
OLD: Final = FrozenMap({"chat": {"field": "function_call"}})


def write(conversation: Conversation) -> list[dict[str, Any]]:
    """Write the messages of a conversation in wire shape."""
    return [write_message(message) for message in conversation.messages]


def write_message(message: Message) -> dict[str, Any]:
    """Write one message: role, content, then what else it has."""
    if (text := message.plain_text) is not None:
        return {"role": message.role, "content": text}
    extra = thaw(message.extra) if message.extra else {}
    role = extra.pop("role", message.role)
    wire: dict[str, Any] = {} if role == ABSENT else {"role": role}
    content = message.content
    if extra.pop("content", None) is None or content is not None:
        wire["content"] = content if content is None or isinstance(content, str) else [*map(write_part, content)]
    if message.name is not None:
        wire["name"] = message.name
    if not message.is_plain:
        wire |= _write_beside(message)
    if message.tool_call_id is not None:
        wire["tool_call_id"] = message.tool_call_id
    return wire | {name: value for name, value in extra.items() if name not in wire} if extra else wire


def _write_beside(message: Message) -> dict[str, Any]:
    """Write the parts that stand beside the content: calls, reasoning and refusals."""
    wire: dict[str, Any] = {}
    for part in message.parts:
        if isinstance(part, ToolCall) and is_old(part):
            wire["function_call"] = {"name": part.name, "arguments": part.arguments}
        elif isinstance(part, ToolCall):
            wire.setdefault("tool_calls", []).append(write_call(part))
        elif isinstance(part, ReasoningPart):
            name = part.native["chat"]["field"] if "chat" in part.native else "reasoning_content"
            wire[name] = wire.get(name, "") + part.text
        elif isinstance(part, RefusalPart):
            wire["refusal"] = wire.get("refusal", "") + part.text
    return wire


def write_part(part: ContentPart) -> dict[str, Any]:
    """Write one part of a content."""
    if isinstance(part, OtherPart):
        return cast("dict[str, Any]", thaw(part.value))
    wire = _known_part(part)
    if "chat" not in part.native:
        return wire
    own = thaw(part.native["chat"])
    return joined(wire | ({"type": own["type"]} if "type" in own else {}), own)


def _known_part(part: TextPart | ImagePart | AudioPart | FilePart) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    if isinstance(part, ImagePart):
        return {"type": "image_url", "image_url": present({"url": part.url, "detail": part.detail})}
    if isinstance(part, AudioPart):
        return {"type": "input_audio", "input_audio": {"data": part.data, "format": part.format}}
    inner = {"filename": part.filename, "file_data": part.data, "file_id": part.file_id}
    return {"type": "file", "file": present(inner)}


def present(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that are not null."""
    return {key: value for key, value in fields.items() if value is not None}


# calls ------------------------------------------------------------------------------------------


def write_call(call: ToolCall) -> dict[str, Any]:
    """Write one call as a Chat message has it."""
    more = thaw(call.native["chat"]) if "chat" in call.native else {}
    kind = "custom" if call.type == "custom" else "function"
    wire: dict[str, Any] = {"id": call.id or more.pop("id", ""), "type": more.pop("type", call.type)}
    if call.name or call.type in PAYLOADS:
        wire[kind] = {"name": call.name, PAYLOADS[kind]: call.arguments} | more.pop(kind, {})
    return {name: value for name, value in (wire | more).items() if value != ABSENT or name not in ("id", "type")}


def is_old(call: ToolCall) -> bool:
    """Return whether a call stood in ``function_call``, the field that came before ``tool_calls``."""
    return call.native is OLD or call.native == OLD


# objects ---------------------------------------------------------------------------------------


def joined(one: Mapping[str, Any], two: Mapping[str, Any]) -> dict[str, Any]:
    """Return two objects as one: where both have a value, that of the first stands; notes of the second do their work.

    >>> joined({"a": 1, "tools": ["f"]}, {"a": 2, "b": 3, "tools": {ITEMS: {"0": "search"}}})
    {'a': 1, 'tools': ['search', 'f'], 'b': 3}
    """
    found = dict(one)
    for name, value in two.items():
        known = found.get(name, MISSING)
        if not isinstance(value, Mapping):
            if known is MISSING and not name.startswith(NOTE):
                found[name] = value
        elif ITEMS in value and (known is MISSING or isinstance(known, list)):
            found[name] = _with_items([] if known is MISSING else known, value[ITEMS])
        elif known is MISSING or isinstance(known, Mapping):
            found[name] = joined({} if known is MISSING else known, value)
    return found


def _with_items(items: list[Any], others: Mapping[str, Any]) -> list[Any]:
    found = list(items)
    for index, item in others.items():
        found.insert(int(index), item)
    return found
