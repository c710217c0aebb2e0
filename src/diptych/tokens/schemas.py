"""Response formats as the model reads them.

Rule: a ``json_schema`` becomes a section of text with its name, its description and the
schema as compact JSON in ASCII, without the keywords that constrain and do not describe;
``json_object`` and ``text`` cost nothing. Fitted on recorded usage (2024-2026).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

_LEFT_OUT: Final = frozenset({
    "$schema", "additionalProperties", "required", "default", "format", "pattern", "multipleOf",
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems",
})  # fmt: skip
#: Here the keys are names of the author, not words of JSON Schema.
_NAMED: Final = frozenset({"properties", "$defs", "definitions"})


def render_schema(json_schema: Mapping[str, Any]) -> str:
    """Return the section that a ``response_format.json_schema`` becomes.

    >>> render_schema({"name": "Answer", "schema": {"type": "object", "required": []}})
    '# Response Formats\\n\\n## Answer\\n\\n{"type":"object"}'
    """
    description = json_schema.get("description")
    comment = f"// {description}\n" if description else ""
    text = json.dumps(_stripped(json_schema.get("schema") or {}), separators=(",", ":"), default=str)
    return f"# Response Formats\n\n## {json_schema.get('name', '')}\n\n{comment}{text}"


def _stripped(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_stripped(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {key: _inner(key, item) for key, item in value.items() if key not in _LEFT_OUT}


def _inner(key: str, value: Any) -> Any:
    if key in _NAMED and isinstance(value, Mapping):
        return {name: _stripped(item) for name, item in value.items()}
    return _stripped(value)
