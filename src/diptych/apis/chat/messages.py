"""OpenAI Chat messages: the list of a ``/v1/chat/completions`` body.

Rule: every field has a place in the neutral message, or stays in ``native``; a
string content stays a string and a list of parts stays a list, so reading and
writing is the identity.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from ...errors import FormatError
from ...model import (
    EMPTY,
    ROLES,
    Content,
    ContentPart,
    Conversation,
    FrozenMap,
    Message,
    OtherPart,
    ResponseFormat,
    TextPart,
    ToolCall,
    ToolSpec,
    thaw,
)
from ...projection import ABSENT, MISSING, OLD, PAYLOADS, present
from ...projection import write as write
from ...projection import write_message as write_message
from .tables import PARTS

_FIELDS = frozenset({"role", "content", "name", "tool_calls", "tool_call_id", "reasoning_content"})
_MAY_BE_EMPTY = ("name", "tool_calls", "tool_call_id", "reasoning_content")


def read_messages(messages: Any, *, tools: Any = None, response_format: Any = None) -> Conversation:
    """Read a list of wire messages, with the tools and response format beside it.

    Raises FormatError with a path such as ``$.messages[0].content[1]``.
    """
    return Conversation(read_list(messages, "$"), read_tools(tools), read_response_format(response_format))


def read_list(messages: Any, path: str) -> tuple[Message, ...]:
    """Read a list of wire messages that stands at ``path``."""
    if not isinstance(messages, list | tuple):
        raise FormatError(f"messages are a list, not {type(messages).__name__}", path=path)
    found = [_plain_message(m) or read_message(m, f"{path}[{index}]") for index, m in enumerate(messages)]
    return tuple(found)


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
    # A field that says nothing is kept with those that have no neutral name.
    extra = {key: value for key, value in message.items() if key not in _FIELDS or _is_empty(key, value)}
    if role == "function":
        role, extra["role"] = "tool", "function"
    if role not in ROLES:
        raise FormatError(f"{role!r} is not a role", path=f"{path}.role", hint=f"a role is one of {', '.join(ROLES)}")
    if "content" not in message and role != "assistant":
        raise FormatError(f"a {role} message needs a content", path=path)
    if "content" not in message:
        extra["content"] = ABSENT
    old = _read_old_call(extra)
    return Message(
        role,
        _read_content(message.get("content"), f"{path}.content"),
        _text_or_none(message.get("name"), f"{path}.name"),
        (*old, *_read_tool_calls(message.get("tool_calls"), f"{path}.tool_calls")),
        _text_or_none(message.get("tool_call_id"), f"{path}.tool_call_id"),
        _text_or_none(message.get("reasoning_content"), f"{path}.reasoning_content"),
        FrozenMap(extra) if extra else EMPTY,
    )


def _is_empty(key: str, value: Any) -> bool:
    return key in _MAY_BE_EMPTY and (value is None or value == [])


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
    """Read one part of a content; what only Chat says of it is kept, and a part of another kind as it is."""
    if not isinstance(part, Mapping) or not isinstance(part.get("type"), str):
        raise FormatError("a part is an object with a type", path=path)
    if len(part) == 2 and part["type"] == "text" and isinstance(part.get("text"), str):
        return TextPart(part["text"])
    for kind in PARTS:
        if (bound := kind.bind(part)) is not None:
            found, rest = bound
            native = EMPTY if rest is MISSING else FrozenMap({"chat": rest})
            return cast("ContentPart", kind.cls(**found, native=native))
    return OtherPart(FrozenMap(part))


def _read_old_call(extra: dict[str, Any]) -> tuple[ToolCall, ...]:
    """Take the call of 2023 out of the fields of a message, where it is one and no more."""
    call = extra.get("function_call")
    if not isinstance(call, Mapping) or call.keys() != {"name", "arguments"}:
        return ()
    name, arguments = call["name"], call["arguments"]
    if not isinstance(name, str) or not isinstance(arguments, str):
        return ()
    del extra["function_call"]
    return (ToolCall("", name, arguments, native=OLD),)


def _read_tool_calls(calls: Any, path: str) -> tuple[ToolCall, ...]:
    if calls is None:
        return ()
    if not isinstance(calls, list | tuple):
        raise FormatError("tool_calls is a list", path=path)
    return tuple(_read_call(call, f"{path}[{index}]") for index, call in enumerate(calls))


def _read_call(call: Any, path: str) -> ToolCall:
    """Read one call: its name, its arguments (an object is taken, too), and what only Chat says of it."""
    kind = "custom" if isinstance(call, Mapping) and call.get("type") == "custom" else "function"
    inner = call.get(kind) if isinstance(call, Mapping) else None
    if not isinstance(inner, Mapping) or not isinstance(inner.get("name"), str):
        raise FormatError(f"a tool call needs a {kind} with a name", path=path)
    text = inner.get(PAYLOADS[kind], "")
    if isinstance(text, Mapping):
        text = json.dumps(text, ensure_ascii=False)
    if not isinstance(text, str):
        raise FormatError("arguments are JSON text", path=f"{path}.{kind}.{PAYLOADS[kind]}")
    native = {name: value for name, value in call.items() if name not in ("id", "type", kind)}
    native |= {name: call.get(name, ABSENT) for name in ("id", "type") if not call.get(name)}
    if rest := {name: value for name, value in inner.items() if name not in ("name", PAYLOADS[kind])}:
        native[kind] = rest
    more = FrozenMap({"chat": native}) if native else EMPTY
    return ToolCall(call.get("id") or "", inner["name"], text, cast("Any", kind), more)


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
