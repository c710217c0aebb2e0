"""What OpenAI refuses of tool calls in training rows: calls that are not known or not valid, results that are missing.

Sources: API reference, chat (2026): ``arguments`` is JSON, ``tool_call_id`` names a call; the service's own errors
(2024): "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'",
"messages with role 'tool' must be a response to a preceding message with 'tool_calls'".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..loss import Loss


def _bad(path: str, detail: str) -> Loss:
    return Loss(path, "unsupported", detail)


def calls_and_results(messages: Any, tools: Any, path: str) -> Iterator[Loss]:
    """Yield what calls and results of a conversation must not be; what is malformed otherwise is passed over.

    >>> call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{"}}
    >>> [str(loss) for loss in calls_and_results([{"role": "assistant", "tool_calls": [call]}], None, "$.messages")]
    ['$.messages[0].tool_calls[0].function.arguments: unsupported: arguments are a JSON object']
    """
    turns = messages if isinstance(messages, list) else []
    names = _names_of(tools)
    waiting: dict[str, str] = {}
    for index, turn in enumerate(turns):
        if not isinstance(turn, Mapping):
            continue
        place = f"{path}[{index}]"
        if turn.get("role") == "tool":
            yield from _result(turn, waiting, place)
            continue
        yield from _unanswered(waiting)
        waiting = {}
        yield from _calls(turn, names, waiting, place)
    # A row may end with its calls: they are what is learnt.
    if turns and isinstance(turns[-1], Mapping) and turns[-1].get("role") == "tool":
        yield from _unanswered(waiting)


def _names_of(tools: Any) -> set[str] | None:
    """Return the names of the functions that a row declares, None where it declares none."""
    if not isinstance(tools, list) or not tools:
        return None
    functions = [tool.get("function") for tool in tools if isinstance(tool, Mapping)]
    return {str(function.get("name")) for function in functions if isinstance(function, Mapping)}


def _calls(turn: Mapping[str, Any], names: set[str] | None, waiting: dict[str, str], path: str) -> Iterator[Loss]:
    calls = turn.get("tool_calls")
    for index, call in enumerate(calls if isinstance(calls, list) else ()):
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping):
            continue
        place = f"{path}.tool_calls[{index}]"
        if names is not None and function.get("name") not in names:
            yield _bad(f"{place}.function.name", f"the row declares no tool {function.get('name')!r}")
        if isinstance(function.get("arguments"), str) and not _is_object(function["arguments"]):
            yield _bad(f"{place}.function.arguments", "arguments are a JSON object")
        id_ = str(call.get("id"))
        if id_ in waiting:
            yield _bad(f"{place}.id", f"two calls have the id {id_!r}")
        waiting[id_] = place


def _result(turn: Mapping[str, Any], waiting: dict[str, str], path: str) -> Iterator[Loss]:
    id_ = turn.get("tool_call_id")
    if isinstance(id_, str) and waiting.pop(id_, None) is None:
        yield _bad(f"{path}.tool_call_id", f"no call {id_!r} stands before its result")


def _unanswered(waiting: Mapping[str, str]) -> Iterator[Loss]:
    for id_, place in waiting.items():
        yield _bad(place, f"no result answers the call {id_!r}")


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
