"""Tools as the model reads them: a TypeScript namespace.

Rule: the API hands functions over as TypeScript, and bills that text. Descriptions are
stripped and become ``//`` lines; integer is ``number``; an enum is a union; objects
whose properties carry no comment or default stand on one line. ``strict``,
``additionalProperties`` and bounds leave no trace. The same rendering is public in
OpenAI's harmony format; the differences were fitted on recorded usage (2023-2026).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

#: Deeper schemas, and references that lead back into themselves, are cut off as ``any``.
DEEPEST: Final = 24

Schema = Mapping[str, Any]

#: An object among alternatives, all on one line: five recordings bill 16 tokens more.
_INLINE_OBJECT: Final = re.compile(r"^type .*(?:\| \{ |\} \| )", re.MULTILINE)


def render_tools(functions: Iterable[Schema], *, titles: bool = True) -> str:
    """Return the namespace text of functions (``{name, description, parameters}``).

    Without ``titles``, those of properties and what describes the parameters as a whole are left out.

    >>> print(render_tools([{"name": "now"}]))
    namespace functions {
    <BLANKLINE>
    type now = () => any;
    <BLANKLINE>
    } // namespace functions
    """
    body = "".join(render_function(function, titles=titles) + "\n\n" for function in functions)
    return f"namespace functions {{\n\n{body}}} // namespace functions"


def doubt(functions: Iterable[Schema], text: str, *, title: int = 0, null: int = 0) -> int:
    """Return how many tokens more than the ``text`` the functions may cost.

    ``title`` and ``null`` are what a title and a default of null may add on a model.

    >>> doubt([], "type f = (_: { a: string | { b: number } }) => any;")
    20
    """
    titles = json.dumps(list(functions), default=str).count('"title": "') if title else 0
    return 20 * len(_INLINE_OBJECT.findall(text)) + title * titles + null * text.count("// default: null")


def render_function(function: Schema, *, titles: bool = True) -> str:
    """Return the type definition of one function, its description before it."""
    lines = _comment(function.get("description"))
    parameters = function.get("parameters")
    name = function.get("name", "")
    if isinstance(parameters, Mapping) and parameters.get("properties"):
        writer = _Writer(parameters, titles=titles)
        heading = "".join(line + "\n" for line in writer.comments(parameters)) if titles else ""
        lines.append(f"type {name} = (_: {heading}{writer.object(parameters, 0)}) => any;")
    else:
        lines.append(f"type {name} = () => any;")
    return "\n".join(lines)


def _comment(text: Any) -> list[str]:
    if not isinstance(text, str) or not text.strip():
        return []
    return [f"// {line.strip()}".rstrip() for line in text.strip().split("\n")]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


class _Writer:
    """Writes the types of one schema; references are looked up in its root."""

    def __init__(self, root: Schema, *, titles: bool = True) -> None:
        self.root = root
        self.titles = titles

    def comments(self, schema: Schema) -> list[str]:
        """Return the lines that stand before a type: its title, its description, its format."""
        lines = _comment(schema.get("title") if self.titles else None) + _comment(schema.get("description"))
        is_shown = schema.get("format") and schema.get("type") not in ("number", "integer")
        return [*lines, f"// format: {schema['format']}"] if is_shown else lines

    def resolve(self, schema: Any) -> Schema:
        """Follow ``$ref`` within the root; what stands beside it wins."""
        for _ in range(DEEPEST):
            if not isinstance(schema, Mapping) or not isinstance(schema.get("$ref"), str):
                break
            target: Any = self.root
            for key in schema["$ref"].split("/")[1:]:
                target = target.get(key, {}) if isinstance(target, Mapping) else {}
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**(target if isinstance(target, Mapping) else {}), **beside}
        return schema if isinstance(schema, Mapping) else {}

    def type(self, schema: Any, depth: int) -> str:
        """Return the TypeScript type of a schema."""
        schema = self.resolve(schema)
        if depth > DEEPEST:
            return "any"
        if isinstance(schema.get("enum"), list | tuple) and schema["enum"]:
            return " | ".join(_json(value) for value in schema["enum"])
        if "const" in schema:
            return _json(schema["const"])
        for key in ("anyOf", "oneOf", "allOf"):
            if isinstance(schema.get(key), list | tuple):
                return " | ".join(self.type(choice, depth + 1) for choice in schema[key])
        kind = schema.get("type")
        if isinstance(kind, list | tuple):
            return " | ".join(self._commented({**schema, "type": one}, depth + 1) for one in kind)
        return self._plain(schema, kind, depth)

    def _plain(self, schema: Schema, kind: Any, depth: int) -> str:
        if kind in ("integer", "number"):
            return "number"
        if kind in ("string", "boolean", "null"):
            return str(kind)
        if kind == "object" or "properties" in schema:
            return self.object(schema, depth + 1) if schema.get("properties") else "object"
        if kind == "array":
            return "any[]" if schema.get("items") is None else self._list(self.resolve(schema["items"]), depth + 1)
        return "any"

    def _commented(self, schema: Schema, depth: int) -> str:
        """Return a type inside another type: its comment stands on lines of its own before it."""
        kind, notes = self.type(schema, depth), "\n".join(self.comments(schema))
        return f"\n{notes}\n{kind}\n" if notes else kind

    def _list(self, items: Schema, depth: int) -> str:
        if items.get("properties") and self.comments(items):
            return f"Array<{self._commented(items, depth)}>"
        return f"{self.type(items, depth)}[]"

    def object(self, schema: Schema, depth: int) -> str:
        """Return an object type: one line where nothing in it is commented, else one a property."""
        required = schema.get("required") or ()
        properties = self._properties(schema)
        named = [(name if name in required else f"{name}?", inner) for name, inner in properties.items()]
        further = ["[key: string]: any"] if schema.get("additionalProperties") is True else []
        if not self._is_commented(schema, 0):
            types = [f"{name}: {self.type(inner, depth + 1)}" for name, inner in named]
            return "{ " + ", ".join([*types, *further]) + " }"
        lines = [line for name, inner in named for line in self._property(name, inner, depth + 1)]
        return "{\n" + "\n".join([*lines, *(f"{one}," for one in further)]) + "\n}"

    def _properties(self, schema: Schema) -> dict[str, Schema]:
        properties = schema.get("properties")
        if not isinstance(properties, Mapping):
            return {}
        return {str(name): self.resolve(inner) for name, inner in properties.items()}

    def _property(self, name: str, schema: Schema, depth: int) -> list[str]:
        lines = self.comments(schema)
        choices = next((schema[key] for key in ("anyOf", "oneOf") if isinstance(schema.get(key), list | tuple)), None)
        default = self._default(schema)
        if choices is None:
            return [*lines, f"{name}: {self.type(schema, depth)},{default}"]
        return [*lines, f"{name}:", *(self._choice(choice, depth) for choice in choices), f",{default}"]

    def _default(self, schema: Schema) -> str:
        if "default" not in schema:
            return ""
        value = schema["default"]
        bare = isinstance(value, str) and schema.get("enum")
        return f" // default: {value if bare else _json(value)}"

    def _choice(self, choice: Any, depth: int) -> str:
        schema = self.resolve(choice)
        notes = [] if schema.get("type") == "object" else [line[3:] for line in self.comments(schema) if len(line) > 3]
        note = f" // {' '.join(notes)}" if notes else ""
        return f" | {self.type(choice, depth)}{note}"

    def _is_commented(self, schema: Schema, depth: int) -> bool:
        if depth > DEEPEST // 3:
            return False
        return any(self._has_comment(inner, depth) for inner in self._properties(schema).values())

    def _has_comment(self, schema: Schema, depth: int) -> bool:
        # A title that is not shown puts its property on a line of its own all the same.
        if self.comments(schema) or schema.get("title") or "default" in schema:
            return True
        items = self.resolve(schema.get("items"))
        return self._is_commented(items, depth + 1) or self._is_commented(schema, depth + 1)
