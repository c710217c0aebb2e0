"""Gemma 4's notation of values: JSON with ``<|"|>`` for the quotation mark, keys in their alphabetical order.

Calls hold their arguments in it, and a system turn its declarations of tools. As in JSON Schema's capitals of
Google's APIs, the names of types are in capitals. Written here after the template of google/gemma-4-31B-it of
2026; what it leaves out of a schema (limits, patterns, choices of numbers) does not come back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..model import FrozenMap, ToolSpec, thaw

QUOTE: Final = '<|"|>'
_KEY: Final = re.compile(r"([^<>{}\[\],:]+):")
_DECLARED: Final = re.compile(r"declaration:([\w.-]+)(?=\{)")
_PLAIN: Final = re.compile(r"(?:true|false|None|null|-?\d[\w.+-]*)(?=[,}\]])")
#: Names that the template never takes for those of a property.
_RESERVED: Final = ("description", "type", "properties", "required", "nullable")


def written(value: Any, *, quotes_keys: bool = False) -> str:
    """Return a value as the format writes it.

    >>> written({"b": [1, True], "a": "x"})
    '{a:<|"|>x<|"|>,b:[1,true]}'
    """
    if isinstance(value, str):
        return f"{QUOTE}{value}{QUOTE}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        mark = QUOTE if quotes_keys else ""
        return _braces(f"{mark}{key}{mark}:{written(one, quotes_keys=quotes_keys)}" for key, one in _sorted(value))
    if isinstance(value, list | tuple):
        return f"[{','.join(written(one, quotes_keys=quotes_keys) for one in value)}]"
    return str(value)


def _braces(pairs: Any) -> str:
    return "{" + ",".join(filter(None, pairs)) + "}"


def _sorted(value: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted(value.items(), key=lambda pair: pair[0].lower())


def read(text: str, position: int = 0) -> tuple[Any, int] | None:
    """Return the value that begins at a position and where it ends, None where none does.

    >>> read('{a:<|"|>x<|"|>,b:[1,true]}')
    ({'a': 'x', 'b': [1, True]}, 26)
    """
    try:
        return _value(text, position)
    except (ValueError, RecursionError):
        return None


def _value(text: str, position: int) -> tuple[Any, int]:
    if text.startswith(QUOTE, position):
        return _string(text, position)
    if text.startswith("{", position):
        pairs, end = _several(text, position + 1, "}", _pair)
        return dict(pairs), end
    if text.startswith("[", position):
        return _several(text, position + 1, "]", _value)
    plain = _PLAIN.match(text, position)
    if plain is None:
        raise ValueError("no value")
    return None if plain[0] == "None" else json.loads(plain[0]), plain.end()


def _string(text: str, position: int) -> tuple[str, int]:
    start = position + len(QUOTE)
    end = text.index(QUOTE, start)
    return text[start:end], end + len(QUOTE)


def _pair(text: str, position: int) -> tuple[tuple[str, Any], int]:
    if text.startswith(QUOTE, position):
        key, end = _string(text, position)
        if not text.startswith(":", end):
            raise ValueError("no value of a key")
        value, after = _value(text, end + 1)
        return (key, value), after
    found = _KEY.match(text, position)
    if found is None:
        raise ValueError("no key")
    value, after = _value(text, found.end())
    return (found[1], value), after


def _several(text: str, position: int, close: str, one: Any) -> tuple[list[Any], int]:
    found: list[Any] = []
    if text.startswith(close, position):
        return found, position + 1
    while True:
        value, position = one(text, position)
        found.append(value)
        if text.startswith(close, position):
            return found, position + 1
        if not text.startswith(",", position):
            raise ValueError("neither another value nor the end")
        position += 1


def holds(arguments: str) -> bool:
    """Return whether a JSON object reads back from this notation.

    >>> holds('{"a": [1, null]}'), holds('{"a:b": 1}'), holds("[]")
    (True, False, False)
    """
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        return False
    if not isinstance(value, dict):
        return False
    text = written(value)
    found = read(text)
    if found is None or found[1] != len(text):
        return False
    return json.dumps(found[0], sort_keys=True) == json.dumps(value, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Declaration:
    """One tool: its name, its description, and of its schema what the template writes.

    >>> Declaration().write(ToolSpec("f", "Does it."))
    'declaration:f{description:<|"|>Does it.<|"|>}'
    """

    def write(self, tool: ToolSpec) -> str:
        schema = thaw(tool.parameters) if tool.parameters else {}
        parameters = ""
        if schema:
            properties = schema.get("properties")
            parameters = ",parameters:" + _braces(
                [
                    f"properties:{_properties(properties)}" if properties else "",
                    _required(schema),
                    f"type:{_type(schema)}" if schema.get("type") else "",
                ]
            )
        return f"declaration:{tool.name}{{description:{written(tool.description or '')}{parameters}}}"

    def read(self, text: str, position: int) -> tuple[ToolSpec, int] | None:
        found = _DECLARED.match(text, position)
        inner = read(text, found.end()) if found else None
        if not found or not inner or not set(inner[0]) <= {"description", "parameters"}:
            return None
        given = inner[0].get("parameters")
        if not isinstance(given, dict | None):
            return None
        parameters = None if given is None else FrozenMap(_lower(given))
        tool = ToolSpec(found[1], inner[0].get("description") or None, parameters)
        return (tool, inner[1]) if self.write(tool) == text[position : inner[1]] else None


def _properties(properties: Mapping[str, Any]) -> str:
    return _braces(f"{name}:{_property(one)}" for name, one in _sorted(properties) if name not in _RESERVED)


def _property(schema: Any) -> str:
    """Return what the template writes of a property: its type last."""
    own = schema if isinstance(schema, Mapping) else {}
    kind = str(own.get("type", "")).upper()
    parts = [f"description:{written(own['description'])}" if own.get("description") else ""]
    if kind == "STRING" and own.get("enum"):
        parts.append(f"enum:{written(own['enum'], quotes_keys=True)}")
    if kind == "ARRAY" and isinstance(own.get("items"), Mapping) and own["items"]:
        parts.append(f"items:{_items(own['items'])}")
    parts.append("nullable:true" if own.get("nullable") else "")
    if kind == "OBJECT":
        inner = own["properties"] if isinstance(own.get("properties"), Mapping) else own
        parts += [f"properties:{_properties(inner)}", _required(own)]
    return _braces([*parts, f"type:{_type(own)}"])


def _items(items: Mapping[str, Any]) -> str:
    return _braces(f"{key}:{_item(key, value)}" for key, value in _sorted(items) if value is not None)


def _item(key: str, value: Any) -> str:
    if key == "properties":
        return _properties(value) if isinstance(value, Mapping) else "{}"
    if key == "type":
        return written(value.upper() if isinstance(value, str) else [str(one).upper() for one in value])
    return written(value, quotes_keys=True)


def _required(schema: Mapping[str, Any]) -> str:
    names = schema.get("required")
    return f"required:[{','.join(map(written, names))}]" if names else ""


def _type(schema: Mapping[str, Any]) -> str:
    return written(str(schema.get("type", "")).upper())


def _lower(schema: Any) -> Any:
    """Return a schema with the names of its types in JSON Schema's letters."""
    if not isinstance(schema, dict):
        return schema
    made = dict(schema)
    if isinstance(made.get("type"), str):
        made["type"] = made["type"].lower()
    if isinstance(made.get("properties"), dict):
        made["properties"] = {name: _lower(one) for name, one in made["properties"].items()}
    if isinstance(made.get("items"), dict):
        made["items"] = _lower(made["items"])
    return made
