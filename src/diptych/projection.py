"""The messages of a conversation in the shape of the Chat API.

Every reading shows its conversation in this shape, so it belongs to the values: plain dicts
and lists, and the inverse of what ``apis.chat`` reads.
"""

from __future__ import annotations

from typing import Any, Final, cast

from .model import (
    EMPTY,
    AudioPart,
    ContentPart,
    Conversation,
    FilePart,
    ImagePart,
    Message,
    TextPart,
    ToolCall,
    thaw,
)

#: Marks in ``extra`` that the source had no ``content`` key at all.
ABSENT: Final = "absent"


def write(conversation: Conversation) -> list[dict[str, Any]]:
    """Write the messages of a conversation in wire shape."""
    return [write_message(message) for message in conversation.messages]


def write_message(message: Message) -> dict[str, Any]:
    """Write one message: role, content, then what else it has."""
    wire: dict[str, Any] = {"role": message.role}
    extra = thaw(message.extra) if message.extra else {}
    if extra.pop("content", None) is None:
        content = message.content
        wire["content"] = content if content is None or isinstance(content, str) else [*map(write_part, content)]
    if message.name is not None:
        wire["name"] = message.name
    if message.tool_calls:
        wire["tool_calls"] = [*map(_write_call, message.tool_calls)]
    if message.tool_call_id is not None:
        wire["tool_call_id"] = message.tool_call_id
    if message.reasoning is not None:
        wire["reasoning_content"] = message.reasoning
    return wire | extra


def _write_call(call: ToolCall) -> dict[str, Any]:
    native = thaw(call.native.get("chat", EMPTY)) if call.native else {}
    names = ("name", "input") if call.type == "custom" else ("name", "arguments")
    inner = dict(zip(names, (call.name, call.arguments), strict=True)) | native.pop(call.type, {})
    return {"id": call.id, "type": call.type, call.type: inner} | native


def write_part(part: ContentPart) -> dict[str, Any]:
    """Write one part of a content."""
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text, **thaw(part.native.get("chat", EMPTY))}
    if isinstance(part, ImagePart):
        return {"type": "image_url", "image_url": present({"url": part.url, "detail": part.detail})}
    if isinstance(part, AudioPart):
        return {"type": "input_audio", "input_audio": {"data": part.data, "format": part.format}}
    if isinstance(part, FilePart):
        inner = {"filename": part.filename, "file_data": part.data, "file_id": part.file_id}
        return {"type": "file", "file": present(inner)}
    return cast("dict[str, Any]", thaw(part.value))


def present(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that are not null."""
    return {key: value for key, value in fields.items() if value is not None}
