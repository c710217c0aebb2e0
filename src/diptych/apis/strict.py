"""JSON Schemas as the APIs' strict mode takes them.

Source: OpenAI, "Structured outputs", supported schemas (2026-11): every object closes
its properties and requires them all; a property that may be absent is written as one
that may be null.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from .profiles import LISTS, NAMED, PROFILES, SINGLE, fitted

#: The APIs whose response formats have a name and may be strict; without an API that of Chat is meant.
_NAMED: Final = (None, "chat", "responses", "completions")


def strict_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a schema in which objects are closed and require all their properties.

    >>> strict_schema({"type": "object", "properties": {"a": {"type": "string", "default": ""}}})["required"]
    ['a']
    """
    taken = {name: value for name, value in schema.items() if not PROFILES["chat"].refuses(name, value)}
    found = {name: _inside(name, value) for name, value in taken.items()}
    if found.get("type") == "object" and "properties" in found:
        found["required"] = list(found["properties"])
        found["additionalProperties"] = False
    return found


def response_format_of(model: Any, api: str | None = None) -> dict[str, Any]:
    """Return the Chat ``response_format`` of a type that pydantic knows: a model, a dataclass, ``list[int]``.

    Without what the server of ``api`` has no place for or refuses: the reply is validated against the type itself.

    >>> response_format_of(int)["json_schema"]["name"]
    'int'
    """
    from pydantic import TypeAdapter

    if isinstance(model, Mapping):
        raise TypeError("parse takes a type, not a JSON Schema; send takes a schema as response_format={…}")
    name = re.sub(r"[^a-zA-Z0-9_-]", "_", getattr(model, "__name__", "reply"))[:64]
    schema = strict_schema(TypeAdapter(model).json_schema())
    if profile := PROFILES.get(api or ""):
        schema, _ = fitted(schema, profile)
    wanted = {"name": name, "schema": schema, "strict": True}
    return {"type": "json_schema", "json_schema": wanted if api in _NAMED else {"schema": schema}}


def _inside(name: str, value: Any) -> Any:
    if name in NAMED and isinstance(value, Mapping):
        return {key: strict_schema(sub) if isinstance(sub, Mapping) else sub for key, sub in value.items()}
    if name in SINGLE and isinstance(value, Mapping):
        return strict_schema(value)
    if name in LISTS and isinstance(value, list):
        return [strict_schema(sub) if isinstance(sub, Mapping) else sub for sub in value]
    return value
