"""What paths and values of Handlebars stand for, in Jinja; contexts nest as its blocks do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from .draft import RESERVED, Draft
from .paths import Context, Expression, step, type_of, types_of

_SEGMENT: Final = re.compile(r"\[([^\]]*)\]|([^./\[\]]+)")
_LITERALS: Final = {"true": "true", "false": "false", "null": "none", "undefined": "none"}


@dataclass
class Tag:
    """One tag as it stands in the text."""

    inner: str
    start: int
    end: int
    line: int
    strips: tuple[bool, bool]
    #: Backslashes before it that are not text.
    cut: int
    words: list[tuple[str, str]] = field(default_factory=list)
    #: The blanks before a tag that stands alone on its line.
    indent: str = ""


class Values:
    """Resolves paths in the contexts of a body."""

    draft: Draft
    contexts: list[Context]

    def shown(self, value: Expression, tag: Tag) -> str:
        """Return how JavaScript prints a value: ``true``, ``a,b``, and nothing for null."""
        kind, source = type_of(value.schema), value.source
        if value.schema.get("type") == "null":
            return "''"
        if kind == "object":
            self.draft.lose(
                f"line {tag.line}", "substituted", "an object is printed as [object Object] there, as JSON here"
            )
            return f"{source}|tojson"
        shown = {"boolean": f"{source}|lower", "array": f"{source}|join(',')"}.get(kind, source)
        if value.may_miss:
            return f"{source}|default('')" if shown == source else f"{shown} if {source} is defined else ''"
        is_null = "null" in types_of(value.schema) or value.schema.get("x-null")
        return f"{shown} if {source} is not none else ''" if is_null else shown

    def test(self, value: Expression) -> str:
        """Return the test for what Handlebars takes for true: an empty object is, zero and [] are not."""
        source = given(value)
        return f"{source} is not none" if type_of(value.schema) == "object" else source

    def resolve(self, path: str, tag: Tag) -> Expression:
        """Return what a path or literal stands for where it is written. Raises MigrationError."""
        if path[0] in "\"'":
            return Expression(repr(path[1:-1]), {"type": "string"})
        if path in _LITERALS or re.fullmatch(r"-?\d+(\.\d+)?", path):
            kind = {"true": "boolean", "false": "boolean", "null": "null", "undefined": "null"}.get(path, "number")
            return Expression(_LITERALS.get(path, path), {"type": kind})
        if path.startswith("("):
            raise self.refused(tag, "a helper inside of a helper is more than simple Handlebars")
        if path.startswith("@") and not path.startswith("@root"):
            return self._loop_variable(path, tag)
        contexts = self.contexts[:1] if path.startswith("@root") else list(self.contexts)
        path = path.removeprefix("@root").lstrip(".") if path.startswith("@root") else path
        while path.startswith(".."):
            path = path[2:].lstrip("/")
            contexts.pop()
            if not contexts:
                raise self.refused(tag, "there is nothing outside of it")
        if re.match(r"\.[^./\s]", path):
            raise self.refused(tag, f"{path} is no path of Handlebars: this{path} is one")
        segments = [found[1] if found[1] is not None else found[2] for found in _SEGMENT.finditer(path)]
        if segments[:1] == ["this"]:
            segments = segments[1:]
        elif segments and segments[0] in contexts[-1].own:
            return self._walk(contexts[-1].own[segments[0]], segments[1:], tag)
        elif segments and (bound := self._bound(segments[0])) is not None:
            return self._walk(bound, segments[1:], tag)
        return self._walk(contexts[-1].here, segments, tag)

    def _bound(self, name: str) -> Expression | None:
        return next((context.names[name] for context in reversed(self.contexts) if name in context.names), None)

    def _loop_variable(self, path: str, tag: Tag) -> Expression:
        loop = next((context for context in reversed(self.contexts) if context.is_loop), None)
        known = {"@index": "loop.index0", "@first": "loop.first", "@last": "loop.last", "@key": "loop.index0"}
        if path not in known and re.match(r"@[A-Za-z_]", path):
            return self._context_variable(path, tag)
        if loop is None or path not in known:
            raise self.refused(tag, f"{path} is more than simple Handlebars")
        if path == "@key" and loop.key:
            return Expression(loop.key, {"type": "string"})
        return Expression(known[path], {"type": "boolean" if path in ("@first", "@last") else "integer"})

    def _context_variable(self, path: str, tag: Tag) -> Expression:
        """Return what ``@state`` and its like stand for: what a server gives beside the inputs is an input here."""
        name, *segments = [found[1] if found[1] is not None else found[2] for found in _SEGMENT.finditer(path)]
        if name not in self.draft.names:
            target = name[1:]
            while target in RESERVED or target in {*self.draft.inputs, *self.draft.names.values()}:
                target += "_"
            self.draft.names[name] = target
            self.draft.inputs[target] = {"default": {} if segments else None}
            self.draft.lose(f"$.{name}", "renamed", f"{target}: an input, which a server gives beside the others")
        return self._walk(Expression(self.draft.names[name], {}, may_miss=True), segments, tag)

    def _walk(self, start: Expression, segments: list[str], tag: Tag) -> Expression:
        source, schema, may_miss = start
        for segment in segments:
            properties = schema.get("properties")
            known = properties.get(segment) if isinstance(properties, Mapping) else None
            if not source:
                source = self.draft.input_name(segment)
            elif segment == "length" and known is None and type_of(schema) in ("array", "string", ""):
                return Expression(f"{source}|length", {"type": "integer"})
            else:
                # What is missing in the middle of a path is nothing, and so is what would be in it.
                source = step(f"({source}|default({{}}, true))" if may_miss else source, segment)
                is_needed = isinstance(schema.get("required"), list) and segment in schema["required"]
                may_miss = may_miss or not is_needed
            items = schema.get("items") if segment.isdigit() else None
            schema = next((found for found in (known, items) if isinstance(found, Mapping)), {})
        if not source:
            raise self.refused(tag, "all inputs at once are no value here")
        return Expression(source, schema, may_miss)

    def refused(self, tag: Tag, why: str) -> Exception:
        shown = tag.inner if len(tag.inner) <= 40 else tag.inner[:39] + "…"
        return self.draft.refuse(f"{{{{{shown}}}}} cannot be migrated: {why}", tag.line, hint="rewrite it in Jinja")


def given(value: Expression) -> str:
    """Return an expression that is none where what it names is missing."""
    return f"{value.source}|default(none)" if value.may_miss else value.source
