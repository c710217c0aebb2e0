"""Values that fit a JSON Schema, and the schema that a prompt shows.

Rule: the first value that fits: the least number, the shortest text, the first of several ways; every
property that the schema names, until it would go round in circles. What a schema says twice against
itself has no example, and the value fits as far as it can.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from .patterns import matching

#: Nested schemas after which a value has only what it must have, and after which there is none.
_WIDE: Final = 6
_DEEP: Final = 40
_FORMATS: Final = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "user@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_CONSTANTS: Final = {"boolean": True, "null": None}
#: Braces of a prompt at which a schema is looked for.
_TRIES: Final = 200


def example(schema: Any) -> Any:
    """Return a value that fits a JSON Schema.

    >>> example({"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}})
    {'name': 'text', 'age': 0}
    >>> example({"type": "integer", "exclusiveMinimum": 5, "multipleOf": 4})
    8
    """
    return _Examples(schema if isinstance(schema, Mapping) else {}).of(schema, 0)


def schema_in(texts: Iterable[str]) -> Mapping[str, Any] | None:
    """Return the last JSON Schema of an object that texts show, as clients put one into a prompt; None without.

    >>> schema_in(['Answer with JSON of {"type": "object", "properties": {"a": {"type": "integer"}}}'])["type"]
    'object'
    """
    found = [value for text in texts for value in _objects(text) if _is_schema(value)]
    return found[-1] if found else None


def _objects(text: str) -> Iterator[Any]:
    """Yield the JSON objects that stand in a text, outermost first."""
    decoder, at = json.JSONDecoder(), text.find("{")
    for _ in range(_TRIES):
        if at < 0:
            return
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            yield value
        at = text.find("{", end)


def _is_schema(value: Any) -> bool:
    named = isinstance(value.get("properties"), Mapping) or "$ref" in value
    return named and (value.get("type", "object") == "object")


class _Examples:
    """Examples of one schema and of the parts that it refers to."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root

    def of(self, schema: Any, depth: int) -> Any:
        if not isinstance(schema, Mapping) or depth > _DEEP:
            return "text"
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            return schema["enum"][0]
        if "default" in schema:
            return schema["default"]
        for name in ("anyOf", "oneOf"):
            if isinstance(options := schema.get(name), list) and options:
                rest = {key: value for key, value in schema.items() if key != name}
                return self.of(_merged(rest, self._resolved(self._way(options, depth))), depth + 1)
        return self._typed(schema, depth)

    def _resolved(self, schema: Any) -> Mapping[str, Any]:
        """Return a schema with what it refers to, and with all that it must fit at once."""
        found: Mapping[str, Any] = schema if isinstance(schema, Mapping) else {}
        for _ in range(_DEEP):
            if "$ref" in found:
                rest = {name: value for name, value in found.items() if name != "$ref"}
                found = _merged(rest, self._at(str(found["$ref"])))
            elif isinstance(parts := found.get("allOf"), list):
                found = {name: value for name, value in found.items() if name != "allOf"}
                for part in parts:
                    found = _merged(found, self._resolved(part))
            else:
                return found
        return {}

    def _at(self, pointer: str) -> Mapping[str, Any]:
        value: Any = self._root
        for step in pointer.removeprefix("#").split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            value = value.get(step) if isinstance(value, Mapping) else None
        return value if isinstance(value, Mapping) else {}

    def _way(self, options: list[Any], depth: int) -> Any:
        """Return the first of several schemas; deep down one that leads no further."""
        if depth > _WIDE:
            flat = [o for o in options if isinstance(o, Mapping) and not {"$ref", "properties", "items"} & o.keys()]
            return (flat or options)[0]
        return options[0]

    def _typed(self, schema: Mapping[str, Any], depth: int) -> Any:
        kind = schema.get("type")
        kind = kind[0] if isinstance(kind, list) and kind else kind
        if kind == "object" or (kind is None and "properties" in schema):
            return self._object(schema, depth)
        if kind == "array" or (kind is None and {"items", "prefixItems"} & schema.keys()):
            return self._array(schema, depth)
        if kind in ("integer", "number"):
            return _number(schema, whole=kind == "integer")
        return _CONSTANTS[kind] if kind in ("boolean", "null") else _string(schema)

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        named = schema.get("properties")
        named = named if isinstance(named, Mapping) else {}
        required = [name for name in schema.get("required") or () if isinstance(name, str)]
        names = [*named, *(name for name in required if name not in named)] if depth < _WIDE else required
        further = schema.get("additionalProperties")
        found = {name: self.of(named.get(name, further), depth + 1) for name in names}
        for number in range(_count(schema.get("minProperties")) - len(found)):
            found[f"key_{number}"] = self.of(further, depth + 1)
        return found

    def _array(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        first = schema.get("prefixItems")
        found = [self.of(item, depth + 1) for item in first] if isinstance(first, list) else []
        least = max(_count(schema.get("minItems")), 1 if "contains" in schema else 0)
        item = schema.get("contains", schema.get("items"))
        distinct = bool(schema.get("uniqueItems"))
        made = self._distinct(item, least, depth) if distinct else [self.of(item, depth + 1)] * (least - len(found))
        return found + made[: max(0, least - len(found))]

    def _distinct(self, item: Any, count: int, depth: int) -> list[Any]:
        """Return so many values of which no two are equal."""
        schema = self._resolved(item)
        if isinstance(schema.get("enum"), list):
            return list(schema["enum"][:count])
        one = self.of(schema, depth + 1)
        if isinstance(one, bool) or not isinstance(one, int | float | str):
            return [one]
        if isinstance(one, str):
            return [one[: len(one) - len(str(n))] + str(n) if n else one for n in range(count)]
        step = schema.get("multipleOf") or 1
        return [one + step * number for number in range(count)]


def _merged(one: Mapping[str, Any], two: Mapping[str, Any]) -> dict[str, Any]:
    """Return what fits two schemas: their properties together, the narrower of two bounds."""
    found = {**two, **one}
    for name in one.keys() & two.keys():
        if name in ("properties", "$defs"):
            found[name] = {**two[name], **one[name]}
        elif name == "required":
            found[name] = [*one[name], *two[name]]
        elif name.startswith(("min", "exclusiveMin")) and _are_numbers(one[name], two[name]):
            found[name] = max(one[name], two[name])
        elif name.startswith(("max", "exclusiveMax")) and _are_numbers(one[name], two[name]):
            found[name] = min(one[name], two[name])
    return found


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(value, int | float) for value in values)


def _count(value: Any) -> int:
    """Return a least number of entries; one that nobody can want counts as many."""
    return min(int(value), 1000) if isinstance(value, int | float) and value > 0 else 0


def _number(schema: Mapping[str, Any], *, whole: bool) -> int | float:
    low, is_open = _bound(schema, "minimum", "exclusiveMinimum", max)
    high, is_high_open = _bound(schema, "maximum", "exclusiveMaximum", min)
    step = schema.get("multipleOf")
    step = step if isinstance(step, int | float) and step > 0 else (1 if whole else None)
    if low is None:
        low, is_open = (0, False) if high is None or high > 0 or (high == 0 and not is_high_open) else (high - 1, False)
    if step is not None:
        number = math.ceil(low / step) * step
        value = number + step if is_open and number == low else number
        return int(value) if whole else value
    if not is_open:
        return low
    return low + 1 if high is None or low + 1 < high else (low + high) / 2


def _bound(schema: Mapping[str, Any], name: str, exclusive: str, narrower: Any) -> tuple[float | None, bool]:
    """Return a bound, and whether it is open; in draft 4 a flag says that it is."""
    plain, opened = schema.get(name), schema.get(exclusive)
    plain = plain if _are_numbers(plain) and not isinstance(plain, bool) else None
    if isinstance(opened, bool) or not _are_numbers(opened):
        return plain, opened is True
    return (opened, True) if plain is None or narrower(plain, opened) == opened else (plain, False)


def _string(schema: Mapping[str, Any]) -> str:
    least, most = _count(schema.get("minLength")), schema.get("maxLength")
    most = most if isinstance(most, int) and most >= 0 else None
    if isinstance(pattern := schema.get("pattern"), str) and (found := matching(pattern, least, most)) is not None:
        return found
    text = _FORMATS.get(str(schema.get("format")), "text")
    text += "x" * (least - len(text))
    return text if most is None else text[:most]
