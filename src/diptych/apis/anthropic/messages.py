"""Anthropic Messages: the ``system`` and ``messages`` of a ``/v1/messages`` body.

- leading ``system`` and ``developer`` messages are ``system``, two line breaks between them
  (``merged``); a later one is written as ``user`` (``role-changed``)
- text is a string, several parts are blocks: ``text``, ``image`` (base64 or url), ``document``
  (base64 or a file id); audio is lost (``media-dropped``)
- an assistant's reasoning is a ``thinking`` block, its tool calls are ``tool_use`` blocks whose
  ``input`` is an object: the JSON of arguments is spelt anew
- tool results are ``tool_result`` blocks of one user message, and come back as one message each
- tools have ``input_schema``; ``strict``, names and the response format are lost
- read: a message that has results and text becomes result messages and a user message
"""

from __future__ import annotations

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
from ..proof import call_input, data_url, split_data_url, written_arguments


def read(value: Any) -> tuple[Conversation, tuple[Loss, ...]]:
    """Read a body, or its list of messages. Raises FormatError with a path."""
    body = value if isinstance(value, Mapping) else {"messages": value}
    messages = body.get("messages")
    if not isinstance(messages, list | tuple):
        raise FormatError("messages are a list", path="$.messages")
    found: list[Message] = []
    system = body.get("system")
    if isinstance(system, str):
        found.append(Message("system", system))
    elif isinstance(system, list):
        found.append(Message("system", "\n\n".join(_text(block, f"$.system[{i}]") for i, block in enumerate(system))))
    for index, message in enumerate(messages):
        found += _read_message(message, f"$.messages[{index}]")
    return Conversation(tuple(found), _read_tools(body.get("tools"))), ()


def _text(block: Any, path: str) -> str:
    if isinstance(block, Mapping) and isinstance(block.get("text"), str):
        return str(block["text"])
    raise FormatError("a block of the system text has a text", path=path)


def _read_message(message: Any, path: str) -> list[Message]:
    if not isinstance(message, Mapping) or message.get("role") not in ("user", "assistant"):
        raise FormatError("a message has the role user or assistant", path=f"{path}.role")
    content = message.get("content")
    if isinstance(content, str):
        return [Message(message["role"], content)]
    if not isinstance(content, list | tuple):
        raise FormatError("a content is text or a list of blocks", path=f"{path}.content")
    blocks = [_block(block, f"{path}.content[{i}]") for i, block in enumerate(content)]
    results = [_read_result(b) for b in blocks if b["type"] == "tool_result"]
    calls = tuple(
        ToolCall(str(b.get("id", "")), str(b.get("name", "")), written_arguments(b.get("input") or {}))
        for b in blocks
        if b["type"] == "tool_use"
    )
    thinking = "\n".join(str(b.get("thinking", "")) for b in blocks if b["type"] == "thinking") or None
    parts = tuple(_read_part(b) for b in blocks if b["type"] not in ("tool_result", "tool_use", "thinking"))
    if not parts and results:
        return results
    text = parts[0].text if len(parts) == 1 and isinstance(parts[0], TextPart) else parts or None
    return [*results, Message(message["role"], text, tool_calls=calls, reasoning=thinking)]


def _block(block: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(block, Mapping) or not isinstance(block.get("type"), str):
        raise FormatError("a block is an object with a type", path=path)
    return block


def _read_result(block: Mapping[str, Any]) -> Message:
    content = block.get("content") or ""
    if not isinstance(content, str):
        parts = tuple(_read_part(part) for part in content if isinstance(part, Mapping))
        content = parts[0].text if len(parts) == 1 and isinstance(parts[0], TextPart) else parts
    extra = FrozenMap({"is_error": True}) if block.get("is_error") else FrozenMap()
    return Message("tool", content, tool_call_id=str(block.get("tool_use_id", "")), extra=extra)


def _read_part(block: Mapping[str, Any]) -> ContentPart:
    source = block.get("source")
    if block["type"] == "text" and isinstance(block.get("text"), str):
        return TextPart(block["text"])
    if isinstance(source, Mapping) and block["type"] in ("image", "document"):
        if source.get("type") == "base64":
            url = data_url(str(source.get("media_type")), str(source.get("data")))
            return ImagePart(url) if block["type"] == "image" else FilePart(url, block.get("title"))
        if source.get("type") == "url" and block["type"] == "image":
            return ImagePart(str(source.get("url")))
        if source.get("type") == "file":
            return FilePart(file_id=str(source.get("file_id")))
    return OtherPart(FrozenMap(block))


def _read_tools(tools: Any) -> tuple[ToolSpec, ...]:
    found = []
    for index, tool in enumerate(tools or ()):
        if not isinstance(tool, Mapping) or not isinstance(tool.get("name"), str):
            raise FormatError("a tool has a name", path=f"$.tools[{index}]")
        schema = tool.get("input_schema")
        found.append(ToolSpec(tool["name"], tool.get("description"), FrozenMap(schema) if schema is not None else None))
    return tuple(found)


def write(conversation: Conversation) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    """Write the body's ``system``, ``messages`` and ``tools``."""
    losses: list[Loss] = []
    messages, system = conversation.messages, []
    for message in messages:
        if message.role not in ("system", "developer"):
            break
        system.append(message)
    body: dict[str, Any] = {}
    if system:
        body["system"] = "\n\n".join(message.text for message in system)
    wire: list[dict[str, Any]] = []
    for index, message in enumerate(messages[len(system) :], len(system)):
        _write_message(message, f"$.messages[{index}]", wire, losses)
    body["messages"] = wire
    if conversation.tools:
        body["tools"] = [_write_tool(tool) for tool in conversation.tools]
    return body, tuple(losses)


def _write_message(message: Message, path: str, wire: list[dict[str, Any]], losses: list[Loss]) -> None:
    if message.role == "tool":
        block = {
            "type": "tool_result",
            "tool_use_id": message.tool_call_id or "",
            "content": _content(message, path, losses),
        }
        if message.extra.get("is_error"):
            block["is_error"] = True
        last = wire[-1]["content"] if wire and wire[-1]["role"] == "user" else None
        # A list is empty where every part of the message was dropped.
        if isinstance(last, list) and last and last[-1]["type"] == "tool_result":
            last.append(block)
        else:
            wire.append({"role": "user", "content": [block]})
        return
    role = message.role if message.role in ("user", "assistant") else "user"
    content = _content(message, path, losses)
    if message.tool_calls or message.reasoning:
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) and content else content or []
        thinking = [{"type": "thinking", "thinking": message.reasoning, "signature": ""}] if message.reasoning else []
        content = [*thinking, *blocks, *_uses(message, path, losses)]
    wire.append({"role": role, "content": content})


def _uses(message: Message, path: str, losses: list[Loss]) -> list[dict[str, Any]]:
    return [
        {"type": "tool_use", "id": c.id, "name": c.name, "input": call_input(c, f"{path}.tool_calls[{i}]", losses)}
        for i, c in enumerate(message.tool_calls)
    ]


def _content(message: Message, path: str, losses: list[Loss]) -> Any:
    if message.content is None or isinstance(message.content, str):
        return message.content or ""
    blocks = []
    for index, part in enumerate(message.content_parts):
        block = _write_part(part)
        if block is None:
            losses.append(Loss(f"{path}.content", "media-dropped", f"{type(part).__name__} at {index} has no place"))
        else:
            blocks.append(block)
    return blocks


def _write_part(part: ContentPart) -> dict[str, Any] | None:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    if isinstance(part, ImagePart):
        return {"type": "image", "source": _source(part.url)}
    if isinstance(part, FilePart) and part.file_id:
        return {"type": "document", "source": {"type": "file", "file_id": part.file_id}}
    if isinstance(part, FilePart) and part.data and split_data_url(part.data):
        titled = {"title": part.filename} if part.filename else {}
        return {"type": "document", "source": _source(part.data), **titled}
    if isinstance(part, OtherPart) and isinstance(part.value.get("type"), str):
        found: dict[str, Any] = thaw(part.value)
        return found
    return None


def _source(url: str) -> dict[str, Any]:
    inline = split_data_url(url)
    if inline is None:
        return {"type": "url", "url": url}
    return {"type": "base64", "media_type": inline[0], "data": inline[1]}


def _write_tool(tool: ToolSpec) -> dict[str, Any]:
    described = {"description": tool.description} if tool.description is not None else {}
    schema = thaw(tool.parameters) if tool.parameters is not None else {"type": "object", "properties": {}}
    return {"name": tool.name, **described, "input_schema": schema}


def _detect(value: Any) -> float:
    if not isinstance(value, Mapping) or not isinstance(value.get("messages"), list):
        return 0.0
    tools = value.get("tools") or ()
    if "system" in value or any(isinstance(t, Mapping) and "input_schema" in t for t in tools):
        return 0.95
    blocks = [
        b
        for m in value["messages"]
        if isinstance(m, Mapping) and isinstance(m.get("content"), list)
        for b in m["content"]
    ]
    kinds = {b.get("type") for b in blocks if isinstance(b, Mapping)}
    return 0.95 if kinds & {"tool_use", "tool_result", "image", "document", "thinking"} else 0.1


FORMAT = Format(
    name="anthropic",
    kind="api",
    mapping="system beside messages; blocks; tool_use and tool_result; thinking; names and schemas are lost",
    read=read,
    write=write,
    detect=_detect,
    aliases=("anthropic-messages", "claude-messages"),
    wire=Wire(
        holds=frozenset({"messages", "system", "tools"}),
        bare="messages",
        talk=frozenset({"messages", "system"}),
        keeps_plain=True,
    ),
)
