"""Gemini's own schemas (OpenAPI 3.0 with types in capitals) as JSON Schema, and back.

Source: google-genai 3.6, ``types.Schema``, 2026-11-26.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

_LISTS: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE: Final = ("items", "additionalProperties")
_NAMED: Final = ("properties", "defs", "$defs")


def json_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema of Gemini as JSON Schema.

    >>> json_schema({"type": "STRING", "nullable": True})
    {'type': ['string', 'null']}
    """
    found: dict[str, Any] = _inside(schema, json_schema)
    if isinstance(found.get("type"), str):
        found["type"] = str(found["type"].lower())
        if found.get("nullable") is True:
            found["type"] = [found["type"], "null"]
            del found["nullable"]
    return found


def gemini_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON Schema as a schema of Gemini: the inverse of :func:`json_schema`.

    >>> gemini_schema({"type": ["string", "null"]})
    {'type': 'STRING', 'nullable': True}
    """
    found: dict[str, Any] = _inside(schema, gemini_schema)
    kind = found.get("type")
    if isinstance(kind, list | tuple) and len(kind) == 2 and kind[1] == "null":
        found |= {"type": kind[0].upper(), "nullable": True}
    elif isinstance(kind, str):
        found["type"] = kind.upper()
    return found


def _inside(schema: Mapping[str, Any], each: Callable[[Mapping[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """Return a copy of a schema with the schemas inside of it changed."""
    found = {}
    for name, value in schema.items():
        if name in _NAMED and isinstance(value, Mapping):
            value = {key: each(sub) if isinstance(sub, Mapping) else sub for key, sub in value.items()}
        elif name in _LISTS and isinstance(value, list | tuple):
            value = [each(sub) if isinstance(sub, Mapping) else sub for sub in value]
        elif name in _SINGLE and isinstance(value, Mapping):
            value = each(value)
        found[name] = value
    return found
