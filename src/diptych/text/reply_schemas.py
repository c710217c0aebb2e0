"""JSON schemas as rules of a GBNF grammar.

Rule: a schema gives types, names, required fields and enumerations; what else it says (formats, bounds,
patterns) is left to whoever validates. Fields stand in the order of the schema, required ones first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

#: The rules of any JSON value.
JSON_RULES: Final = {
    "value": "object | array | string | number | boolean | null",
    "object": '"{" ws (string ws ":" ws value (ws "," ws string ws ":" ws value)*)? ws "}"',
    "array": '"[" ws (value (ws "," ws value)*)? ws "]"',
    "string": r'"\"" ([^"\\\x7F\x00-\x1F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4}))* "\""',
    "number": '"-"? ("0" | [1-9] [0-9]*) ("." [0-9]+)? ([eE] [-+]? [0-9]+)?',
    "integer": '"-"? ("0" | [1-9] [0-9]*)',
    "boolean": '"true" | "false"',
    "null": '"null"',
}
_TYPES: Final = {name: name for name in ("string", "number", "integer", "boolean", "null", "object", "array")}


def literal(text: str) -> str:
    """Return a text as a literal of GBNF.

    >>> print(literal('a"b'))
    "a\\"b"
    """
    return json.dumps(text, ensure_ascii=False)


def without(marks: Sequence[str]) -> str:
    """Return the rule of a text that holds none of these marks; it may hold the beginning of one.

    >>> print(without(["<a"]))
    ([^<] | "<"+ [^<a])* "<"*
    """
    firsts = sorted({mark[0] for mark in marks if mark})
    if not firsts:
        return "[^\\x00]*"
    none = "".join(map(_in_class, firsts))
    pieces, tails = [f"[^{none}]"], []
    for first in firsts:
        longer = sorted({mark[:3] for mark in marks if mark.startswith(first) and len(mark) > 1})
        seconds = "".join(map(_in_class, sorted({mark[1] for mark in longer})))
        pieces += [f"{literal(first)}+ [^{none}{seconds}]"] if longer else []
        pieces += [
            f"{literal(first)}+ {literal(one[1])} [^{none}{_in_class(one[2])}]" for one in longer if len(one) > 2
        ]
        tails += [f"{literal(first)}*"] if longer else []
    return f"({' | '.join(pieces)})* {' '.join(tails)}".rstrip()


def _in_class(character: str) -> str:
    return f"\\{character}" if character in "\\]^-[" else {"\n": "\\n", "\t": "\\t"}.get(character, character)


def schema_rule(schema: Any, name: str, rules: dict[str, str]) -> str:
    """Return the rule of a schema's values; rules that it needs are added under names that begin with ``name``.

    >>> schema_rule({"enum": ["a", 1]}, "x", {})
    '"\\\\"a\\\\"" | "1"'
    """
    if not isinstance(schema, Mapping):
        return "value"
    if "enum" in schema or "const" in schema:
        values = schema["enum"] if "enum" in schema else [schema["const"]]
        return " | ".join(literal(json.dumps(one, ensure_ascii=False)) for one in values)
    choices = schema.get("anyOf") or schema.get("oneOf")
    kind = schema.get("type")
    if isinstance(kind, list):
        choices = [{**schema, "type": one} for one in kind]
    if choices:
        return " | ".join(_named(one, f"{name}-c{index}", rules) for index, one in enumerate(choices))
    if kind in ("object", None) and schema.get("properties"):
        return _object(schema, name, rules)
    if kind == "array" and "items" in schema:
        item = _named(schema["items"], f"{name}-i", rules)
        return f'"[" ws ({item} (ws "," ws {item})*)? ws "]"'
    return _TYPES.get(str(kind), "value")


def _named(schema: Any, name: str, rules: dict[str, str]) -> str:
    rule = schema_rule(schema, name, rules)
    if rule in _TYPES or rule == "value":
        return rule
    rules[name] = rule
    return name


def _object(schema: Mapping[str, Any], name: str, rules: dict[str, str]) -> str:
    required = [key for key in schema.get("required") or () if key in schema["properties"]]
    pairs = {}
    for index, (key, value) in enumerate(schema["properties"].items()):
        rules[f"{name}-p{index}"] = f'{literal(json.dumps(key))} ws ":" ws ({_named(value, f"{name}-v{index}", rules)})'
        pairs[key] = f"{name}-p{index}"
    others = [pairs[key] for key in pairs if key not in required]
    must = ' ws "," ws '.join(pairs[key] for key in required)
    if not required:
        any_ = " | ".join(others)
        return f'"{{" ws (({any_}) (ws "," ws ({any_}))*)? ws "}}"'
    more = "".join(f' (ws "," ws {pair})?' for pair in others)
    return f'"{{" ws {must}{more} ws "}}"'
