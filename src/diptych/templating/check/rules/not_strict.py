"""A schema that strict mode refuses.

With ``strict: true`` OpenAI takes objects only if they are closed (``additionalProperties: false``)
and require all their properties, and refuses some keywords (Structured outputs, supported schemas,
2026-11).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ....model import thaw
from ..finding import Finding
from ..subject import Subject

CODE = "T204"
BAD = (
    "---\nresponse_format: {name: a, strict: true, schema: {type: object, properties: {x: {type: string}}}}\n---\nJSON"
)
GOOD = (
    "---\nresponse_format: {name: a, strict: true, schema: {type: object, properties: {x: {type: string}}, "
    "required: [x], additionalProperties: false}}\n---\nJSON"
)
_REFUSED = frozenset({
    "allOf", "not", "dependentRequired", "dependentSchemas", "if", "then", "else", "oneOf", "patternProperties",
    "unevaluatedProperties", "propertyNames", "minProperties", "maxProperties", "uniqueItems", "contains",
})  # fmt: skip


def check(subject: Subject) -> Iterator[Finding]:
    """Find what strict mode refuses in the response format and in the tools."""
    if subject.template is None:
        return
    wanted = subject.template.response_format
    if wanted is not None and wanted.strict and wanted.schema is not None:
        yield from _findings(subject, thaw(wanted.schema), "$.response_format.schema")
    for index, tool in enumerate(subject.template.tools):
        if tool.strict and tool.parameters is not None:
            yield from _findings(subject, thaw(tool.parameters), f"$.tools[{index}].parameters")


def _findings(subject: Subject, schema: Any, path: str) -> Iterator[Finding]:
    for place, problem in problems(schema, path):
        hint = "close objects with additionalProperties: false and require all properties; a type may allow null"
        yield Finding(CODE, f"{place}: {problem}", subject.at_path(place) or subject.top, hint)


def problems(schema: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield where a schema has what strict mode refuses, and what."""
    if isinstance(schema, list):
        for index, item in enumerate(schema):
            yield from problems(item, f"{path}[{index}]")
    if not isinstance(schema, Mapping):
        return
    for keyword in sorted(_REFUSED & schema.keys()):
        yield f"{path}.{keyword}", f"strict mode does not take {keyword}"
    named = schema.get("properties")
    if schema.get("type") == "object" or isinstance(named, Mapping):
        if schema.get("additionalProperties") is not False:
            yield path, "strict mode needs additionalProperties: false"
        missing = sorted(set(named or ()) - set(schema.get("required") or ()))
        if missing:
            yield path, f"strict mode requires all properties; {missing[0]!r} is not required"
    for name, value in schema.items():
        if name in ("properties", "$defs", "definitions") and isinstance(value, Mapping):
            for key, sub in value.items():
                yield from problems(sub, f"{path}.{name}.{key}")
        elif name in ("items", "anyOf", "prefixItems"):
            yield from problems(value, f"{path}.{name}")
