"""Bedrock Converse: ``system``, ``messages`` and ``toolConfig`` of a Converse call.

- leading ``system`` and ``developer`` messages are blocks of ``system``; a later one is written
  as ``user`` (``role-changed``)
- blocks: ``text``, ``image`` and ``document`` with base64 ``bytes`` and a format; addresses of
  images and audio are lost (``media-dropped``)
- tool calls are ``toolUse``, results ``toolResult`` blocks of a user message; their ids are kept
- reasoning is a ``reasoningContent`` block
- tools have ``toolSpec.inputSchema.json``; ``strict``, names and the response format are lost
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...errors import FormatError
from ...format import Format, Wire
from ...loss import Loss
from ...model import (
    ContentPart,
    Conversation,
    FilePart,
    FrozenMap,
    ImagePart,
    Message,
    OtherPart,
    TextPart,
    ToolCall,
    ToolSpec,
    thaw,
)
from ..detection import detector
from ..proof import call_input, data_url, split_data_url, written_arguments


def read(value: Any) -> tuple[Conversation, tuple[Loss, ...]]:
    """Read a body. Raises FormatError with a path."""
    messages = value.get("messages") if isinstance(value, Mapping) else value
    if not isinstance(messages, list | tuple):
        raise FormatError("messages are a list", path="$.messages")
    body = value if isinstance(value, Mapping) else {}
    if not isinstance(body.get("system") or (), list | tuple):
        raise FormatError("system is a list of blocks", path="$.system")
    found = [Message("system", _text(block, f"$.system[{i}]")) for i, block in enumerate(body.get("system") or ())]
    for index, message in enumerate(messages):
        found += _read_message(message, f"$.messages[{index}]")
    return Conversation(tuple(found), _read_tools(body.get("toolConfig"))), ()


def _text(block: Any, path: str) -> str:
    if isinstance(block, Mapping) and isinstance(block.get("text"), str):
        return str(block["text"])
    raise FormatError("a block of the system text has a text", path=path)


def _read_message(message: Any, path: str) -> list[Message]:
    if not isinstance(message, Mapping) or message.get("role") not in ("user", "assistant"):
        raise FormatError("a message has the role user or assistant", path=f"{path}.role")
    blocks = message.get("content")
    if not isinstance(blocks, list | tuple) or not all(isinstance(block, Mapping) for block in blocks):
        raise FormatError("a content is a list of blocks", path=f"{path}.content")
    results = [_read_result(b["toolResult"]) for b in blocks if isinstance(b.get("toolResult"), Mapping)]
    calls = tuple(
        ToolCall(str(c.get("toolUseId", "")), str(c.get("name", "")), written_arguments(c.get("input") or {}))
        for c in (b.get("toolUse") for b in blocks)
        if isinstance(c, Mapping)
    )
    thinking = [
        str((b["reasoningContent"].get("reasoningText") or {}).get("text", ""))
        for b in blocks
        if "reasoningContent" in b
    ]
    rest = tuple(_read_part(b) for b in blocks if not b.keys() & {"toolResult", "toolUse", "reasoningContent"})
    if not rest and results:
        return results
    text = rest[0].text if len(rest) == 1 and isinstance(rest[0], TextPart) else rest or None
    return [*results, Message(message["role"], text, tool_calls=calls, reasoning="\n".join(thinking) or None)]


def _read_result(result: Mapping[str, Any]) -> Message:
    texts = [
        b["text"] if "text" in b else json.dumps(b.get("json"), ensure_ascii=False) for b in result.get("content") or ()
    ]
    extra = FrozenMap({"is_error": True}) if result.get("status") == "error" else FrozenMap()
    return Message("tool", "".join(texts), tool_call_id=str(result.get("toolUseId", "")), extra=extra)


def _read_part(block: Mapping[str, Any]) -> ContentPart:
    if isinstance(block.get("text"), str):
        return TextPart(block["text"])
    for kind in ("image", "document"):
        inner = block.get(kind)
        data = (inner.get("source") or {}).get("bytes") if isinstance(inner, Mapping) else None
        if isinstance(inner, Mapping) and isinstance(data, str):
            if kind == "image":
                return ImagePart(data_url(f"image/{inner.get('format')}", data))
            return FilePart(data_url(f"application/{inner.get('format')}", data), inner.get("name"))
    return OtherPart(FrozenMap(block))


def _read_tools(config: Any) -> tuple[ToolSpec, ...]:
    found = []
    for index, tool in enumerate((config.get("tools") or ()) if isinstance(config, Mapping) else ()):
        spec = tool.get("toolSpec") if isinstance(tool, Mapping) else None
        if not isinstance(spec, Mapping) or not isinstance(spec.get("name"), str):
            raise FormatError("a tool has a toolSpec with a name", path=f"$.toolConfig.tools[{index}]")
        schema = (spec.get("inputSchema") or {}).get("json")
        found.append(ToolSpec(spec["name"], spec.get("description"), FrozenMap(schema) if schema is not None else None))
    return tuple(found)


def write(conversation: Conversation) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    """Write the body's system, messages and tools."""
    losses: list[Loss] = []
    messages = conversation.messages
    start = next((i for i, m in enumerate(messages) if m.role not in ("system", "developer")), len(messages))
    body: dict[str, Any] = {"system": [{"text": message.text} for message in messages[:start]]} if start else {}
    wire: list[dict[str, Any]] = []
    for index, message in enumerate(messages[start:], start):
        _write_message(message, f"$.messages[{index}]", wire, losses)
    body["messages"] = wire
    if conversation.tools:
        body["toolConfig"] = {"tools": [{"toolSpec": _write_tool(tool)} for tool in conversation.tools]}
    return body, tuple(losses)


def _write_message(message: Message, path: str, wire: list[dict[str, Any]], losses: list[Loss]) -> None:
    if message.role == "tool":
        status = {"status": "error"} if message.extra.get("is_error") else {}
        result = {"toolUseId": message.tool_call_id or "", "content": [{"text": message.text}], **status}
        if (
            wire
            and wire[-1]["role"] == "user"
            and all("toolResult" in b for b in wire[-1]["content"])
            and wire[-1]["content"]
        ):
            wire[-1]["content"].append({"toolResult": result})
        else:
            wire.append({"role": "user", "content": [{"toolResult": result}]})
        return
    blocks: list[dict[str, Any]] = []
    if message.reasoning:
        blocks.append({"reasoningContent": {"reasoningText": {"text": message.reasoning}}})
    for index, part in enumerate(message.content_parts):
        block = _write_part(part)
        if block is None:
            losses.append(Loss(f"{path}.content", "media-dropped", f"{type(part).__name__} at {index} has no place"))
        else:
            blocks.append(block)
    for index, call in enumerate(message.tool_calls):
        found = call_input(call, f"{path}.tool_calls[{index}]", losses)
        blocks.append({"toolUse": {"toolUseId": call.id, "name": call.name, "input": found}})
    wire.append({"role": message.role if message.role == "assistant" else "user", "content": blocks})


def _write_part(part: ContentPart) -> dict[str, Any] | None:
    if isinstance(part, TextPart):
        return {"text": part.text}
    if isinstance(part, ImagePart) and (inline := split_data_url(part.url)):
        return {"image": {"format": inline[0].rpartition("/")[2], "source": {"bytes": inline[1]}}}
    if isinstance(part, FilePart) and part.data and (inline := split_data_url(part.data)):
        named = {"name": part.filename} if part.filename else {}
        return {"document": {"format": inline[0].rpartition("/")[2], **named, "source": {"bytes": inline[1]}}}
    return None


def _write_tool(tool: ToolSpec) -> dict[str, Any]:
    described = {"description": tool.description} if tool.description is not None else {}
    schema = thaw(tool.parameters) if tool.parameters is not None else {"type": "object", "properties": {}}
    return {"name": tool.name, **described, "inputSchema": {"json": schema}}


FORMAT = Format(
    name="bedrock",
    kind="api",
    mapping="system blocks beside messages; toolUse and toolResult; bytes; names and schemas are lost",
    read=read,
    write=write,
    detect=detector("bedrock"),
    aliases=("bedrock-converse", "converse"),
    wire=Wire(
        holds=frozenset({"messages", "system", "toolConfig"}),
        bare="messages",
        talk=frozenset({"messages", "system"}),
    ),
)
