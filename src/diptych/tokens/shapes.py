"""Check the shape of a request that is counted.

A count of something malformed would be a guess that calls itself exact, so every field
that a rule reads is checked first. Raises TokenError with the path of the first fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ..errors import TokenError

#: The roles whose border and name recorded usage shows.
ROLES: Final = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_NEED_CONTENT: Final = frozenset({"system", "developer", "user"})

#: What a request has and a message has not.
_WHOLE: Final = frozenset({"messages", "prompt", "body"})

_OBJECT: Final = (Mapping,)
_LIST: Final = (list, tuple)
_TEXT: Final = (str,)


def kind_of(value: Any) -> str:
    """Return what a value is in JSON, for an error; the value itself stays out.

    >>> kind_of(5), kind_of(None)
    ('a number', 'null')
    """
    if isinstance(value, bool):
        return "true or false"
    kinds = (
        ((int, float), "a number"), (str, "a string"), ((list, tuple), "a list"),
        (Mapping, "an object"), (type(None), "null"),
    )  # fmt: skip
    return next((name for types, name in kinds if isinstance(value, types)), f"of type {type(value).__name__}")


def _place(path: str) -> str | None:
    """Return a path into a value; the name of an argument is none."""
    return path if path.startswith("$") else None


def expect(value: Any, types: tuple[type, ...], path: str, expected: str) -> None:
    """Raise TokenError where a value is of none of the types."""
    if not isinstance(value, types):
        name = path.rpartition(".")[2]
        raise TokenError(f"{name} is {kind_of(value)}; expected {expected}", path=_place(path))


def _optional(values: Mapping[str, Any], name: str, types: tuple[type, ...], path: str, expected: str) -> Any:
    value = values.get(name)
    if value is not None:
        expect(value, types, f"{path}.{name}", expected)
    return value


def _each(values: Any, path: str, check: Callable[[Mapping[str, Any], str], None]) -> None:
    for index, value in enumerate(values or ()):
        expect(value, _OBJECT, f"{path}[{index}]", "an object")
        check(value, f"{path}[{index}]")


# messages ------------------------------------------------------------------------------


def check_message(message: Any, path: str) -> None:
    """Raise TokenError on a message that no rule can count."""
    if isinstance(message, Mapping) and "role" not in message and message.keys() & _WHOLE:
        hint = "give one request at a time; diptych count --jsonl counts one per line"
        raise TokenError("this is a whole request, not a message", path=path, hint=hint)
    if not isinstance(message, Mapping) or message.get("role") is None:
        raise TokenError("a message is an object with a role", path=path)
    expect(message["role"], _TEXT, f"{path}.role", "a string")
    content = _optional(message, "content", (*_TEXT, *_LIST), path, "a string, a list of parts or null")
    if content is None and message["role"] in _NEED_CONTENT:
        raise TokenError(f"the {message['role']} message has no content", path=f"{path}.content")
    for index, part in enumerate(content if isinstance(content, list | tuple) else ()):
        _check_part(part, f"{path}.content[{index}]")
    for name in ("name", "tool_call_id", "refusal"):
        _optional(message, name, _TEXT, path, "a string")
    _each(_optional(message, "tool_calls", _LIST, path, "a list"), f"{path}.tool_calls", _check_call)
    legacy = _optional(message, "function_call", _OBJECT, path, "an object")
    if legacy is not None:
        _check_function_call(legacy, f"{path}.function_call")


def check_talk(body: Mapping[str, Any]) -> None:
    """Raise TokenError on messages of any API that are none, with the path of the first fault."""
    _optional(body, "prompt", (*_TEXT, *_LIST), "$", "text, token ids or a list of either")
    for name, content in (("messages", "content"), ("contents", "parts")):
        talk = _optional(body, name, _LIST, "$", "a list")
        for index, message in enumerate(talk or ()):
            path = f"$.{name}[{index}]"
            expect(message, _OBJECT, path, "an object")
            if name == "messages":
                expect(message.get("role"), _TEXT, f"{path}.role", "a string")
            _optional(message, content, (*_TEXT, *_LIST), path, "a string, a list of parts or null")


def _check_part(part: Any, path: str) -> None:
    if isinstance(part, str):
        return
    expect(part, _OBJECT, path, "an object or a string")
    kind = _optional(part, "type", _TEXT, path, "a string")
    if kind in ("text", "refusal"):
        expect(part.get(kind), _TEXT, f"{path}.{kind}", "a string")
    elif kind == "image_url":
        expect(part.get(kind), (*_TEXT, *_OBJECT), f"{path}.{kind}", "an object with a url")
        if not isinstance(part[kind], str):
            expect(part[kind].get("url"), _TEXT, f"{path}.{kind}.url", "a string")
    elif kind in ("input_audio", "file"):
        inner = _optional(part, kind, _OBJECT, path, "an object") or {}
        for name in ("data", "file_data"):
            _optional(inner, name, _TEXT, f"{path}.{kind}", "a string")
    else:
        _optional(part, "text", _TEXT, path, "a string")


def _check_call(call: Mapping[str, Any], path: str) -> None:
    _optional(call, "id", _TEXT, path, "a string")
    name = "custom" if call.get("function") is None and call.get("custom") is not None else "function"
    expect(call.get(name), _OBJECT, f"{path}.{name}", "an object")
    _check_function_call(call[name], f"{path}.{name}")


def _check_function_call(function: Mapping[str, Any], path: str) -> None:
    expect(function.get("name"), _TEXT, f"{path}.name", "a string")
    for name in ("arguments", "input"):
        _optional(function, name, (*_TEXT, *_OBJECT, *_LIST), path, "a string of JSON")


# beside the messages --------------------------------------------------------------------


def check_extras(body: Mapping[str, Any]) -> None:
    """Raise TokenError on tools, a tool choice or a response format of a wrong type."""
    for name, check in (("tools", _check_tool), ("functions", _check_function)):
        _each(_optional(body, name, _LIST, "$", "a list"), f"$.{name}", check)
    for name in ("tool_choice", "function_call"):
        _optional(body, name, (*_TEXT, *_OBJECT), "$", "a string or an object")
    wanted = _optional(body, "response_format", _OBJECT, "$", "an object")
    if wanted is not None and wanted.get("type") == "json_schema":
        path = "$.response_format.json_schema"
        expect(wanted.get("json_schema"), _OBJECT, path, "an object")
        _optional(wanted["json_schema"], "name", _TEXT, path, "a string")
        _optional(wanted["json_schema"], "schema", _OBJECT, path, "an object")


def _check_tool(tool: Mapping[str, Any], path: str) -> None:
    _optional(tool, "type", _TEXT, path, "a string")
    inner = _optional(tool, "function", _OBJECT, path, "an object")
    if inner is not None:
        _check_function(inner, f"{path}.function")
    elif tool.get("type") in (None, "function"):
        _check_function(tool, path)


def _check_function(function: Mapping[str, Any], path: str) -> None:
    expect(function.get("name"), _TEXT, f"{path}.name", "a string")
    _optional(function, "description", _TEXT, path, "a string")
    _optional(function, "parameters", _OBJECT, path, "an object")


# prompts and numbers ---------------------------------------------------------------------


def is_ids(values: Sequence[Any]) -> bool:
    """Say whether these are token ids: whole numbers of at least 0.

    >>> is_ids([1, 2]), is_ids([True]), is_ids([-1])
    (True, False, False)
    """
    return all(type(value) is int and value >= 0 for value in values)


def whole_number(value: Any, path: str, *, least: int = 0) -> int | None:
    """Return a number of at least ``least``, None for null. Raises TokenError on anything else.

    >>> whole_number(None, "$.max_tokens") is None
    True
    """
    if value is None:
        return None
    if type(value) is not int or value < least:
        found = value if isinstance(value, int | float) and not isinstance(value, bool) else kind_of(value)
        name = path.rpartition(".")[2]
        raise TokenError(f"{name} is {found}; expected a whole number of at least {least}", path=_place(path))
    return value
