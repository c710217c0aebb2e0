"""The call of a function or tool that a Chat body forces, with arguments that fit its schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from .. import tokens
from ..model import ToolCall, thaw
from ..projection import OLD, is_old
from ..response import Event
from .examples import example
from .refusals import BadRequestError

#: The number of the call that a stream of 2023 has beside those of tools.
_OLD_NUMBER: Final = 1 << 30
_ENCODING: Final = "o200k_base"


def forced(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the message that calls what a body forces (``required``, or a tool by its name), else None.

    Raises BadRequestError for a tool that the body does not offer.

    >>> tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    >>> forced({"messages": [], "tools": tools, "tool_choice": "required"})["tool_calls"][0]["function"]["name"]
    'f'
    """
    functions, choice = body.get("functions") or [], body.get("function_call")
    if functions and isinstance(choice, Mapping):
        found = _chosen(functions, choice.get("name"), "functions")
        return {"role": "assistant", "content": None, "function_call": _function(found)}
    tool = _tool(body.get("tools") or [], body.get("tool_choice"))
    if tool is None:
        return None
    kind = "custom" if tool.get("type") == "custom" else "function"
    inner = tool.get(kind) or {}
    made = {"name": inner.get("name"), "input": "text"} if kind == "custom" else _function(inner)
    said = sum(len(message.get("tool_calls") or ()) for message in body["messages"])
    return {"role": "assistant", "content": None, "tool_calls": [{"id": f"call_{said}", "type": kind, kind: made}]}


def _tool(tools: list[Any], choice: Any) -> Mapping[str, Any] | None:
    if isinstance(choice, Mapping) and choice.get("type") == "allowed_tools":
        allowed = choice.get("allowed_tools") or {}
        names = [_name(tool) for tool in allowed.get("tools") or ()]
        return _tool([tool for tool in tools if _name(tool) in names], allowed.get("mode"))
    if isinstance(choice, Mapping):
        found: Mapping[str, Any] = _chosen(tools, _name(choice), "tools")
        return found
    return tools[0] if tools and choice in ("required", "any") else None


def _chosen(offered: list[Any], name: Any, where: str) -> Any:
    for one in offered:
        if _name(one) == name:
            return one
    param = "tool_choice" if where == "tools" else "function_call"
    raise BadRequestError(f"Invalid value for '{param}': {name!r} is not in '{where}'.", param, "invalid_value")


def _name(tool: Mapping[str, Any]) -> Any:
    inner = tool.get("function") or tool.get("custom") or tool
    return inner.get("name") if isinstance(inner, Mapping) else None


def _function(declared: Mapping[str, Any]) -> dict[str, Any]:
    value = example(declared.get("parameters") or {"type": "object"})
    return {"name": declared.get("name"), "arguments": json.dumps(value, ensure_ascii=False)}


def steps(call: ToolCall, index: int, number: int) -> Iterator[Event]:
    """Yield a call as the events of a stream: its name, then its arguments token by token."""
    old = is_old(call)
    number = _OLD_NUMBER if old else number
    value = thaw(OLD["chat"]) if old else {"type": call.type}
    yield Event("call", index, "", number, call.id or None, call.name, value)
    for id_ in tokens.encode_text(call.arguments, encoding_name=_ENCODING):
        yield Event("call", index, tokens.encoding(_ENCODING).decode([id_]), number)
