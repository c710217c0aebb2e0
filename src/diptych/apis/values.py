"""Pairs of small inverse functions that the tables of several APIs share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..model import FrozenMap, freeze, thaw

#: The schema of a function that takes nothing.
NO_PARAMETERS: Final = FrozenMap({"type": "object", "properties": {}})


def one_of(names: Mapping[Any, Any]) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Return reader and writer of words that the neutral model has other words for.

    >>> read, write = one_of({"any": "required"})
    >>> read("any"), write("required"), read("sometimes")
    ('required', 'any', None)
    """
    back = {neutral: name for name, neutral in reversed([*names.items()])}
    return (lambda value: _get(names, value)), (lambda value: _get(back, value))


def _get(names: Mapping[Any, Any], value: Any) -> Any:
    return names.get(value) if isinstance(value, str | bool | int) else None


def opposite(value: Any) -> bool | None:
    """Return the other truth value."""
    return not value if isinstance(value, bool) else None


def as_list(value: Any) -> list[Any]:
    """Return stops as a list, which may be one string in the neutral model."""
    return [value] if isinstance(value, str) else list(thaw(value))


def strings(value: Any) -> Any:
    """Read a list of strings."""
    return freeze(value) if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value) else None


def read_json(value: Any) -> str | None:
    """Read an object as JSON text, None where it is none."""
    try:
        return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping) else None
    except (TypeError, ValueError, RecursionError):
        return None


def write_json(text: Any) -> dict[str, Any]:
    """Write JSON text as the object it is; a text that is none is kept under ``_raw``.

    >>> write_json('{"a": 1}'), write_json("no JSON")
    ({'a': 1}, {'_raw': 'no JSON'})
    """
    found = object_of(text)
    return raw(text) if found is None else found


def raw(text: str) -> dict[str, Any]:
    """Return the object that stands for a text where an API takes objects alone."""
    return {"_raw": text}


def object_of(text: str) -> dict[str, Any] | None:
    """Return the object that a JSON text is, None where it is none; an empty text is an empty object."""
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def tool_choice(words: Mapping[str, str], named: str) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Return reader and writer of an object ``{"type": word}``; ``named`` is the word that goes with a tool's name.

    >>> read, write = tool_choice({"any": "required"}, "tool")
    >>> write({"type": "function", "function": {"name": "f"}})
    {'type': 'tool', 'name': 'f'}
    """
    back = {neutral: word for word, neutral in words.items()}

    def read(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return None
        if value.get("type") == named and isinstance(value.get("name"), str):
            return chosen(value["name"])
        return _get(words, value.get("type"))

    def write(value: Any) -> Any:
        if (name := chosen_name(value)) is not None:
            return {"type": named, "name": name}
        return {"type": back[value]} if isinstance(value, str) and value in back else None

    return read, write


def chosen(name: str) -> dict[str, Any]:
    """Return the neutral choice of one function, which is that of Chat."""
    return {"type": "function", "function": {"name": name}}


def chosen_name(value: Any) -> str | None:
    """Return the name of the function that a neutral choice names, None where it is another choice."""
    function = value.get("function") if isinstance(value, Mapping) and value.get("type") == "function" else None
    name = function.get("name") if isinstance(function, Mapping) else None
    return name if isinstance(name, str) else None
