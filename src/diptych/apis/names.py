"""Names of functions: those that an API's server refuses are written another way, everywhere alike.

Rule: a name outside the alphabet of the API gets another one in the tools, in every call and in the
choice of a tool. A reply then calls the tool by its new name, so that this is a change and reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..model import Message, ToolCall, ToolSpec
from ..request import Request
from .api import Api
from .ledger import Ledger
from .values import chosen, chosen_name


def named(api: Api, request: Request, ledger: Ledger) -> Request:
    """Return a request in which every function has a name that the API's server takes."""
    if not api.names:
        return request
    bad = [name for name in dict.fromkeys(_names(request)) if not re.fullmatch(api.names, name)]
    if not bad:
        return request
    used = {*_names(request)}
    new = {name: _taken(api, name, used) for name in bad}
    return request.replace(
        messages=tuple(_message(message, new, ledger) for message in request.conversation.messages),
        tools=tuple(_renamed(tool, new, ledger) for tool in request.conversation.tools),
        params=_params(request.params, new, ledger),
    )


def _names(request: Request) -> Iterator[str]:
    yield from (tool.name for tool in request.conversation.tools)
    for message in request.conversation.messages:
        yield from (call.name for call in message.tool_calls)
        if message.role == "tool" and message.name is not None:
            yield message.name
    if (name := chosen_name(request.params.get("tool_choice"))) is not None:
        yield name


def _taken(api: Api, name: str, used: set[str]) -> str:
    """Return a name near to this one that the server takes and nothing else has."""
    stem = re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:56]
    stem = stem if re.fullmatch(api.names, stem) else f"f_{stem}"
    found, number = stem, 1
    while found in used:
        number += 1
        found = f"{stem}_{number}"
    used.add(found)
    return found


def _message(message: Message, new: Mapping[str, str], ledger: Ledger) -> Message:
    if message.role == "tool" and message.name is not None and message.name in new:
        made = message.replace(name=new[message.name])
        ledger.lose(message, "name", "substituted", f"{message.name!r} became {made.name!r}")
        ledger.same(made, message)
        return made
    if not any(call.name in new for call in message.tool_calls):
        return message
    parts = [_renamed(part, new, ledger) if isinstance(part, ToolCall) else part for part in message.parts]
    made = message.replace(parts=parts)
    ledger.same(made, message)
    return made


def _renamed(value: Any, new: Mapping[str, str], ledger: Ledger) -> Any:
    assert isinstance(value, ToolCall | ToolSpec)
    if value.name not in new:
        return value
    ledger.lose(value, "name", "substituted", f"{value.name!r} became {new[value.name]!r}")
    made = replace(value, name=new[value.name])
    ledger.same(made, value)
    return made


def _params(params: Mapping[str, Any], new: Mapping[str, str], ledger: Ledger) -> Mapping[str, Any]:
    name = chosen_name(params.get("tool_choice"))
    if name is None or name not in new:
        return params
    ledger.report(f"$.{ledger.param('tool_choice')}", "substituted", f"{name!r} became {new[name]!r}")
    return {**params, "tool_choice": chosen(new[name])}
