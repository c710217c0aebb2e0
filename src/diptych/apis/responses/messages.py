"""OpenAI Responses: ``instructions``, ``input`` and ``tools`` of a ``/v1/responses`` body.

- a leading ``system`` message is ``instructions``; every other message is an item of ``input``
  under its own role
- user parts: ``input_text``, ``input_image``, ``input_file``, ``input_audio``; an assistant's text is
  ``output_text``
- tool calls are ``function_call`` items after the message, results ``function_call_output`` items
- reasoning is a ``reasoning`` item with a summary text
- tools are flat; JSON mode and schemas are ``text.format``
- names of participants are lost
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import FormatError
from ...format import Format, Wire
from ...loss import Loss
from ...model import (
    AudioPart,
    ContentPart,
    Conversation,
    FilePart,
    FrozenMap,
    ImagePart,
    Message,
    OtherPart,
    ResponseFormat,
    TextPart,
    ToolCall,
    ToolSpec,
    thaw,
)

_ROLES = ("system", "developer", "user", "assistant")


def read(value: Any) -> tuple[Conversation, tuple[Loss, ...]]:
    """Read a body, or its input. Raises FormatError with a path."""
    body = value if isinstance(value, Mapping) else {"input": value}
    items = body.get("input")
    found: list[Message] = []
    if isinstance(body.get("instructions"), str):
        found.append(Message("system", body["instructions"]))
    if isinstance(items, str):
        found.append(Message("user", items))
    elif isinstance(items, list | tuple):
        for index, item in enumerate(items):
            _read_item(item, f"$.input[{index}]", found)
    else:
        raise FormatError("the input is text or a list of items", path="$.input")
    return Conversation(tuple(found), _read_tools(body.get("tools")), _read_format(body.get("text"))), ()


def _read_item(item: Any, path: str, found: list[Message]) -> None:
    if not isinstance(item, Mapping):
        raise FormatError("an item is an object", path=path)
    kind = item.get("type", "message")
    if kind == "message":
        found.append(_read_message(item, path, _pending(found)))
    elif kind == "reasoning":
        summary = item.get("summary") or item.get("content") or ()
        text = "\n".join(str(part.get("text", "")) for part in summary if isinstance(part, Mapping))
        found.append(Message("assistant", None, reasoning=text))
    elif kind == "function_call":
        call = ToolCall(str(item.get("call_id", "")), str(item.get("name", "")), str(item.get("arguments", "")))
        last = found.pop() if found and found[-1].role == "assistant" else Message("assistant", None)
        found.append(Message("assistant", last.content, tool_calls=(*last.tool_calls, call), reasoning=last.reasoning))
    elif kind == "function_call_output":
        output = item.get("output")
        content = output if isinstance(output, str) else tuple(_read_part(p, path) for p in output or ())
        found.append(Message("tool", content, tool_call_id=str(item.get("call_id", ""))))
    else:
        raise FormatError(f"an item of the type {kind!r} has no place among messages", path=f"{path}.type")


def _pending(found: list[Message]) -> str | None:
    """Take the reasoning that stands before a message."""
    last = found[-1] if found else None
    if (
        last is not None
        and last.role == "assistant"
        and last.content is None
        and not last.tool_calls
        and last.reasoning is not None
    ):
        return found.pop().reasoning
    return None


def _read_message(item: Mapping[str, Any], path: str, reasoning: str | None) -> Message:
    role, content = item.get("role"), item.get("content")
    if role not in _ROLES:
        raise FormatError(f"{role!r} is no role of the Responses API", path=f"{path}.role")
    if isinstance(content, str):
        return Message(role, content, reasoning=reasoning)
    if not isinstance(content, list | tuple):
        raise FormatError("a content is text or a list of parts", path=f"{path}.content")
    parts = tuple(_read_part(part, f"{path}.content[{i}]") for i, part in enumerate(content))
    if len(parts) == 1 and isinstance(parts[0], TextPart) and role == "assistant":
        return Message(role, parts[0].text, reasoning=reasoning)
    return Message(role, parts, reasoning=reasoning)


def _read_part(part: Any, path: str) -> ContentPart:
    if not isinstance(part, Mapping) or not isinstance(part.get("type"), str):
        raise FormatError("a part is an object with a type", path=path)
    kind = part["type"]
    if kind in ("input_text", "output_text") and isinstance(part.get("text"), str):
        return TextPart(part["text"])
    if kind == "input_image" and isinstance(part.get("image_url"), str):
        return ImagePart(part["image_url"], part.get("detail"))
    if kind == "input_file":
        return FilePart(part.get("file_data"), part.get("filename"), part.get("file_id"))
    audio = part.get("input_audio")
    if kind == "input_audio" and isinstance(audio, Mapping):
        return AudioPart(str(audio.get("data")), str(audio.get("format", "wav")))
    return OtherPart(FrozenMap(part))


def _read_tools(tools: Any) -> tuple[ToolSpec, ...]:
    found = []
    for index, tool in enumerate(tools or ()):
        if not isinstance(tool, Mapping) or not isinstance(tool.get("name"), str):
            raise FormatError("a tool is a function with a name", path=f"$.tools[{index}]")
        schema = tool.get("parameters")
        frozen = FrozenMap(schema) if isinstance(schema, Mapping) else None
        found.append(ToolSpec(tool["name"], tool.get("description"), frozen, tool.get("strict")))
    return tuple(found)


def _read_format(text: Any) -> ResponseFormat | None:
    wanted = text.get("format") if isinstance(text, Mapping) else None
    if not isinstance(wanted, Mapping) or wanted.get("type") not in ("text", "json_object", "json_schema"):
        return None
    schema = wanted.get("schema")
    frozen = FrozenMap(schema) if isinstance(schema, Mapping) else None
    return ResponseFormat(wanted["type"], wanted.get("name"), frozen, wanted.get("strict"), wanted.get("description"))


def write(conversation: Conversation) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    """Write the body's instructions, input, tools and text format."""
    losses: list[Loss] = []
    messages = conversation.messages
    body: dict[str, Any] = {}
    start = 1 if messages and messages[0].role == "system" and not isinstance(messages[0].content, tuple) else 0
    if start:
        body["instructions"] = messages[0].text
    items: list[dict[str, Any]] = []
    for index, message in enumerate(messages[start:], start):
        _write_message(message, f"$.messages[{index}]", items, losses)
    body["input"] = items
    if conversation.tools:
        body["tools"] = [_write_tool(tool) for tool in conversation.tools]
    wanted = conversation.response_format
    if wanted is not None:
        schema = thaw(wanted.schema) if wanted.schema is not None else None
        named = {"name": wanted.name, "schema": schema, "strict": wanted.strict, "description": wanted.description}
        body["text"] = {"format": {"type": wanted.type, **_present(named)}}
    return body, tuple(losses)


def _write_message(message: Message, path: str, items: list[dict[str, Any]], losses: list[Loss]) -> None:
    if message.role == "tool":
        output = message.text if not isinstance(message.content, tuple) else _parts(message, path, losses)
        items.append({"type": "function_call_output", "call_id": message.tool_call_id or "", "output": output})
        return
    if message.reasoning is not None:
        items.append({"type": "reasoning", "summary": [{"type": "summary_text", "text": message.reasoning}]})
    if message.content is not None or not (message.tool_calls or message.reasoning):
        content: Any = message.content or ""
        if isinstance(content, tuple):
            content = _parts(message, path, losses)
        items.append({"type": "message", "role": message.role, "content": content})
    for call in message.tool_calls:
        items.append({"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments})


def _parts(message: Message, path: str, losses: list[Loss]) -> list[dict[str, Any]]:
    text_kind = "output_text" if message.role == "assistant" else "input_text"
    found = []
    for index, part in enumerate(message.content_parts):
        written = _write_part(part, text_kind)
        if written is None:
            losses.append(Loss(f"{path}.content", "media-dropped", f"{type(part).__name__} at {index} has no place"))
        else:
            found.append(written)
    return found


def _write_part(part: ContentPart, text_kind: str) -> dict[str, Any] | None:
    if isinstance(part, TextPart):
        return {"type": text_kind, "text": part.text}
    if isinstance(part, ImagePart):
        return {"type": "input_image", **_present({"image_url": part.url, "detail": part.detail})}
    if isinstance(part, FilePart):
        inner = {"file_data": part.data, "filename": part.filename, "file_id": part.file_id}
        return {"type": "input_file", **_present(inner)}
    if isinstance(part, AudioPart):
        return {"type": "input_audio", "input_audio": {"data": part.data, "format": part.format}}
    found: dict[str, Any] = thaw(part.value)
    return found if isinstance(found.get("type"), str) and found["type"].startswith(("input_", "output_")) else None


def _write_tool(tool: ToolSpec) -> dict[str, Any]:
    schema = thaw(tool.parameters) if tool.parameters is not None else None
    inner = {"description": tool.description, "parameters": schema, "strict": tool.strict}
    return {"type": "function", "name": tool.name, **_present(inner)}


def _present(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


def _detect(value: Any) -> float:
    if not isinstance(value, Mapping) or "input" not in value or "messages" in value or "prompt" in value:
        return 0.0
    return 0.95 if isinstance(value["input"], str | list) else 0.0


FORMAT = Format(
    name="responses",
    kind="api",
    mapping="instructions beside input items; function_call and function_call_output; names are lost",
    read=read,
    write=write,
    detect=_detect,
    aliases=("openai_responses",),
    wire=Wire(
        holds=frozenset({"input", "instructions", "tools", "text"}),
        bare="input",
        talk=frozenset({"input", "instructions"}),
        implied=frozenset({("type", "message")}),
    ),
)
