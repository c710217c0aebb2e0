"""Picoschema, dotprompt's short schema, as JSON Schema.

Rule: what is written there is what dotprompt's own parser makes of it: objects are closed,
names without ``?`` are required, and optional ones may be null.

==============================  =====================================================
``name: string, who it is``     a string with a description
``name?: integer``              not required, or null
``tags(array, about): string``  an array
``at(object): {…}``             an object
``mood(enum): [a, b]``          one of these
``(*): number``                 any further names
``any``                         no constraint
a mapping with ``type``         JSON Schema already
another word                    the schema of that name, where somebody knows it
==============================  =====================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from ...errors import MigrationError

#: From the name of a schema to the schema.
Named: TypeAlias = Callable[[str], dict[str, Any]]
_SCALARS: Final = {"any", "boolean", "integer", "null", "number", "string"}


def _unknown(name: str) -> dict[str, Any]:
    raise MigrationError(f"the schema {name[:40]!r} stands elsewhere: only types are read here")


def to_json_schema(schema: Any, named: Named = _unknown) -> dict[str, Any]:
    """Return the JSON Schema of a picoschema. Raises MigrationError for what is none.

    ``named`` gives the schema of a name, and raises MigrationError for an unknown one.

    >>> to_json_schema({"name?": "string"})["properties"]
    {'name': {'type': ['string', 'null']}}
    """
    if isinstance(schema, str):
        return _scalar(schema, named)
    if not isinstance(schema, Mapping):
        raise MigrationError(f"a schema is made of names and types, not of {type(schema).__name__}")
    if isinstance(schema.get("type"), str) and schema["type"] in {*_SCALARS, "object", "array"}:
        return dict(schema)
    if isinstance(schema.get("properties"), Mapping):
        return {**schema, "type": "object"}
    return _object(schema, named)


def _scalar(text: str, named: Named) -> dict[str, Any]:
    kind, comma, about = text.partition(",")
    kind, about = kind.strip(), about.strip()
    schema = {} if kind == "any" else {"type": kind} if kind in _SCALARS else dict(named(kind))
    return {**schema, "description": about} if comma and about else schema


def _value(value: Any, named: Named) -> dict[str, Any]:
    if isinstance(value, str):
        return _scalar(value, named)
    if isinstance(value, Mapping):
        return _object(value, named)
    raise MigrationError(f"a schema is made of names and types, not of {type(value).__name__}")


def _object(fields: Mapping[str, Any], named: Named) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required: list[str] = []
    extra: Any = False
    for key, value in fields.items():
        if key == "(*)":
            extra = _value(value, named)
            continue
        name, _, about = key.partition("(")
        is_optional, name = name.endswith("?"), name.removesuffix("?")
        if not is_optional:
            required.append(name)
        properties[name] = _property(about.removesuffix(")"), value, is_optional, named)
    schema = {"type": "object", "properties": properties, **({"required": required} if required else {})}
    return {**schema, "additionalProperties": extra}


def _property(kind: str, value: Any, is_optional: bool, named: Named) -> dict[str, Any]:
    kind, _, about = (part.strip() for part in kind.partition(","))
    if kind == "enum":
        values = list(value) if isinstance(value, list) else [value]
        schema: dict[str, Any] = {"enum": [*values, None] if is_optional and None not in values else values}
    elif kind == "array":
        schema = {"type": "array", "items": _value(value, named)}
    elif kind in ("object", ""):
        schema = _value(value, named)
    else:
        raise MigrationError(f"the parentheses of a name hold object, array or enum, not {kind[:40]!r}")
    if is_optional and isinstance(schema.get("type"), str):
        schema = {**schema, "type": [schema["type"], "null"]}
    return {**schema, "description": about} if about else schema
