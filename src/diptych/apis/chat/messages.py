"""OpenAI Chat messages: the list of a ``/v1/chat/completions`` body.

Rule: every field has a place in the neutral message, or stays in ``extra``; a
string content stays a string and a list of parts stays a list, so reading and
writing is the identity. Mapping:

- ``content`` text, ``image_url``, ``input_audio``, ``file`` parts: the parts of the model
- ``tool_calls`` (function): ``ToolCall``; ``reasoning_content``: ``reasoning``
- the old ``function`` role: role ``tool`` with its name, a ``role-changed`` loss
- any other field or part: kept as it is
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from ...errors import FormatError
from ...format import Format, Wire
from ...loss import Loss
from ...model import (
    EMPTY,
    ROLES,
    AudioPart,
    Content,
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
    freeze,
    thaw,
)
from ...projection import ABSENT, present, write_part
from ...projection import write as write
from ...projection import write_message as write_message

_FIELDS = frozenset({"role", "content", "name", "tool_calls", "tool_call_id", "reasoning_content"})


def read_messages(messages: Any, *, tools: Any = None, response_format: Any = None) -> Conversation:
    """Read a list of wire messages, with the tools and response format beside it.

    Raises FormatError with a path such as ``$.messages[0].content[1]``.
    """
    if not isinstance(messages, list | tuple):
        raise FormatError(f"messages are a list, not {type(messages).__name__}", path="$")
    read = tuple(_plain_message(m) or read_message(m, f"$[{index}]") for index, m in enumerate(messages))
    return Conversation(read, read_tools(tools), read_response_format(response_format))


def _plain_message(message: Any) -> Message | None:
    """Return a message of a role and a text and nothing else, as most are; None for any other."""
    if type(message) is not dict or len(message) != 2:
        return None
    role, content = message.get("role"), message.get("content")
    return Message(role, content) if type(content) is str and type(role) is str and role in ROLES else None


def read_message(message: Any, path: str) -> Message:
    """Read one wire message."""
    if not isinstance(message, Mapping):
        raise FormatError(f"a message is an object, not {type(message).__name__}", path=path)
    role = message.get("role")
    if role == "function":
        role = "tool"
    if role not in ROLES:
        raise FormatError(f"{role!r} is not a role", path=f"{path}.role", hint=f"a role is one of {', '.join(ROLES)}")
    extra = {key: value for key, value in message.items() if key not in _FIELDS}
    if "content" not in message and role != "assistant":
        raise FormatError(f"a {role} message needs a content", path=path)
    if "content" not in message:
        extra["content"] = ABSENT
    return Message(
        role,
        _read_content(message.get("content"), f"{path}.content"),
        _text_or_none(message.get("name"), f"{path}.name"),
        _read_tool_calls(message.get("tool_calls"), f"{path}.tool_calls"),
        _text_or_none(message.get("tool_call_id"), f"{path}.tool_call_id"),
        _text_or_none(message.get("reasoning_content"), f"{path}.reasoning_content"),
        FrozenMap(extra) if extra else EMPTY,
    )


def _text_or_none(value: Any, path: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise FormatError(f"text is wanted, not {type(value).__name__}", path=path)


def _read_content(content: Any, path: str) -> Content:
    if content is None or isinstance(content, str):
        return content
    if not isinstance(content, list | tuple):
        raise FormatError(f"a content is text or a list of parts, not {type(content).__name__}", path=path)
    return tuple(read_part(part, f"{path}[{index}]") for index, part in enumerate(content))


def read_part(part: Any, path: str) -> ContentPart:
    """Read one part of a content; one that the model has no class for, or that says more, is kept as it is."""
    if not isinstance(part, Mapping) or not isinstance(part.get("type"), str):
        raise FormatError("a part is an object with a type", path=path)
    kind = part["type"]
    inner = part.get(kind)
    if kind == "text" and isinstance(inner, str):
        return TextPart(inner) if len(part) == 2 else TextPart(inner, _native(part, ("type", "text")))
    if isinstance(inner, Mapping) and set(part) == {"type", kind}:
        known = _known_part(kind, inner)
        if known is not None and write_part(known) == thaw(freeze(part)):
            return known
    return OtherPart(FrozenMap(part))


def _known_part(kind: str, inner: Mapping[str, Any]) -> ContentPart | None:
    if kind == "image_url" and isinstance(inner.get("url"), str):
        return ImagePart(inner["url"], inner.get("detail"))
    if kind == "input_audio" and isinstance(inner.get("data"), str):
        return AudioPart(inner["data"], inner.get("format", "wav"))
    if kind == "file":
        return FilePart(inner.get("file_data"), inner.get("filename"), inner.get("file_id"))
    return None


def _read_tool_calls(calls: Any, path: str) -> tuple[ToolCall, ...]:
    if calls is None:
        return ()
    if not isinstance(calls, list | tuple):
        raise FormatError("tool_calls is a list", path=path)
    read = []
    for index, call in enumerate(calls):
        function = call.get("function") if isinstance(call, Mapping) else None
        custom = call.get("custom") if isinstance(call, Mapping) and call.get("type") == "custom" else None
        if isinstance(custom, Mapping) and all(isinstance(custom.get(name), str) for name in ("name", "input")):
            native = _native(call, ("id", "type", "custom"), custom=_rest(custom, ("name", "input")))
            read.append(ToolCall(str(call.get("id", "")), custom["name"], custom["input"], "custom", native))
            continue
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise FormatError("a tool call needs a function with a name", path=f"{path}[{index}]")
        arguments = function.get("arguments", "")
        if not isinstance(arguments, str):
            raise FormatError("arguments are JSON text", path=f"{path}[{index}].function.arguments")
        native = _native(call, ("id", "type", "function"), function=_rest(function, ("name", "arguments")))
        read.append(ToolCall(str(call.get("id", "")), function["name"], arguments, native=native))
    return tuple(read)


def _rest(fields: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in known}


def _native(fields: Mapping[str, Any], known: tuple[str, ...], **inside: dict[str, Any]) -> FrozenMap:
    """Return what no neutral field stands for: the fields that are not known, and those inside a known one."""
    rest = _rest(fields, known) | {name: value for name, value in inside.items() if value}
    return FrozenMap({"chat": rest}) if rest else EMPTY


def read_tools(tools: Any) -> tuple[ToolSpec, ...]:
    """Read the ``tools`` of a body; bare ``{name, parameters}`` objects are taken too."""
    if tools is None:
        return ()
    read = []
    for index, tool in enumerate(tools):
        function = tool.get("function", tool) if isinstance(tool, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise FormatError("a tool needs a function with a name", path=f"$.tools[{index}]")
        parameters = function.get("parameters")
        frozen = FrozenMap(parameters) if isinstance(parameters, Mapping) else None
        read.append(ToolSpec(function["name"], function.get("description"), frozen, function.get("strict")))
    return tuple(read)


def read_response_format(value: Any) -> ResponseFormat | None:
    """Read the ``response_format`` of a body."""
    if value is None:
        return None
    kind = value.get("type") if isinstance(value, Mapping) else None
    if kind in ("text", "json_object"):
        return ResponseFormat(cast("Any", kind))
    inner = value.get("json_schema") if kind == "json_schema" else None
    if not isinstance(inner, Mapping):
        raise FormatError("a response format is text, json_object or json_schema", path="$.response_format")
    schema = inner.get("schema")
    frozen = FrozenMap(schema) if isinstance(schema, Mapping) else None
    return ResponseFormat("json_schema", inner.get("name"), frozen, inner.get("strict"), inner.get("description"))


# writing ---------------------------------------------------------------------------------


def write_tools(conversation: Conversation) -> list[dict[str, Any]]:
    """Write the ``tools`` of a body."""
    tools = []
    for tool in conversation.tools:
        parameters = None if tool.parameters is None else thaw(tool.parameters)
        function = {"name": tool.name, "description": tool.description, "parameters": parameters, "strict": tool.strict}
        tools.append({"type": "function", "function": present(function)})
    return tools


def write_response_format(conversation: Conversation) -> dict[str, Any] | None:
    """Write the ``response_format`` of a body."""
    wanted = conversation.response_format
    if wanted is None:
        return None
    if wanted.type != "json_schema":
        return {"type": wanted.type}
    schema = None if wanted.schema is None else thaw(wanted.schema)
    inner = {"name": wanted.name, "description": wanted.description, "schema": schema, "strict": wanted.strict}
    return {"type": "json_schema", "json_schema": present(inner)}


def _read(value: Any) -> tuple[Conversation, tuple[Loss, ...]]:
    losses = tuple(
        Loss(f"$[{index}].role", "role-changed", "function became tool")
        for index, message in enumerate(value if isinstance(value, list | tuple) else ())
        if isinstance(message, Mapping) and message.get("role") == "function"
    )
    if isinstance(value, Mapping):
        tools, wanted = value.get("tools"), value.get("response_format")
        return read_messages(value.get("messages"), tools=tools, response_format=wanted), losses
    return read_messages(value), losses


def _write(conversation: Conversation) -> tuple[list[dict[str, Any]], tuple[Loss, ...]]:
    conversation, losses = _held(conversation)
    if conversation.tools:
        losses.append(Loss("$.tools", "tools-dropped", "tools stand in the body, beside the messages"))
    if conversation.response_format:
        losses.append(Loss("$.response_format", "schema-dropped", "it stands in the body, beside the messages"))
    return write(conversation), tuple(losses)


def write_body(conversation: Conversation) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    """Write the messages, tools and response format of a body."""
    conversation, losses = _held(conversation)
    body: dict[str, Any] = {"messages": write(conversation)}
    if conversation.tools:
        body["tools"] = write_tools(conversation)
    if conversation.response_format is not None:
        body["response_format"] = write_response_format(conversation)
    return body, tuple(losses)


def _held(conversation: Conversation) -> tuple[Conversation, list[Loss]]:
    """Return a conversation without the parts of other APIs that have no type, which Chat refuses, and their losses."""
    losses: list[Loss] = []
    messages = []
    for index, message in enumerate(conversation.messages):
        foreign = [] if message.is_plain else [part for part in message.parts if _is_foreign(part)]
        if foreign:
            said = f"{len(foreign)} parts without a type have no place"
            losses.append(Loss(f"$.messages[{index}].content", "media-dropped", said))
        kept = tuple(part for part in message.parts if not _is_foreign(part)) if foreign else ()
        messages.append(message.replace(parts=kept) if foreign else message)
    return (replace(conversation, messages=tuple(messages)) if losses else conversation), losses


def _is_foreign(part: Any) -> bool:
    return isinstance(part, OtherPart) and not isinstance(part.value.get("type"), str)


def _place(path: str) -> str:
    """Return the path of a body for one of the neutral model."""
    path = re.sub(r"(\.tool_calls\[\d+\])\.(name|arguments)$", r"\1.function.\2", path)
    return re.sub(r"^(\$\.messages\[\d+\])\.reasoning\b", r"\1.reasoning_content", path)


def _detect(value: Any) -> float:
    if isinstance(value, Mapping):
        return 0.9 if _detect(value.get("messages")) else 0.0
    is_list = isinstance(value, list) and bool(value)
    return 1.0 if is_list and all(isinstance(m, Mapping) and "role" in m for m in value) else 0.0


FORMAT = Format(
    name="chat",
    kind="api",
    mapping="role, content and parts, name, tool calls and results as in the Chat API; the identity",
    read=_read,
    write=_write,
    detect=_detect,
    aliases=("openai_chat", "messages", "openai"),
    wire=Wire(
        holds=frozenset({"messages", "tools", "response_format"}),
        bare="messages",
        implied=frozenset({("type", "function")}),
        write_body=write_body,
        place=_place,
        keeps_plain=True,
        writes_plain=True,
    ),
)
