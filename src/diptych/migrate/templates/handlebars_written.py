"""Expressions of Jinja as Handlebars writes them.

Rule: what Handlebars cannot say is refused by name, and what it prints or asks in another way is
a loss where the schema of the value tells.

===========================================  =================================================
``x`` ``a.b`` ``a["k"]`` ``a[0]``            ``x`` ``a.b`` ``a.[k]`` ``a.[0]``; inside of a loop ``@root.x``
``loop.index0`` ``.first`` ``.last``         ``@index`` ``@first`` ``@last``
``x|tojson``                                 ``json x``; with other blanks than there: a loss
``x|default('')``                            ``x``: what is missing prints nothing
``not x``, ``a == b``, ``a != b``            ``unless x``, ``ifEquals a b``, ``unlessEquals a b``
a boolean, a number, a list that is printed  a loss: JavaScript prints it in another way
===========================================  =================================================
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from jinja2 import nodes

from .draft import Draft
from .paths import type_of

_LOOP: Final = {"index0": "@index", "first": "@first", "last": "@last"}
#: Names that are helpers there.
_HELPERS: Final = {
    "role",
    "history",
    "media",
    "json",
    "section",
    "if",
    "unless",
    "each",
    "with",
    "lookup",
    "log",
    "else",
    "this",
}
_PRINTED: Final = {
    "boolean": "true and false are printed in lower case there",
    "number": "a number without a fraction is printed without .0 there",
    "array": "a list is printed with commas there",
    "object": "an object is printed as [object Object] there",
}


class Path(NamedTuple):
    """A path of Handlebars, and the JSON Schema of what it names, where one is known."""

    written: str
    schema: Mapping[str, Any] = {}


class Expressions:
    """Writes expressions; ``loops`` are the names that the loops around bind."""

    def __init__(self, schemas: Mapping[str, Mapping[str, Any]], draft: Draft) -> None:
        self.schemas = schemas
        self.draft = draft
        self.loops: list[dict[str, Path]] = []
        self.line = 1

    def refused(self, what: str) -> Exception:
        """Return the error that refuses what stands at the line of the tag that is read."""
        hint = "a value can be made before, and given as an input"
        return self.draft.refuse(f"{what} has no place in a dotprompt file", self.line, hint=hint)

    # values ------------------------------------------------------------------------------------

    def path(self, node: nodes.Node) -> Path:
        """Return the path of an expression. Raises MigrationError where it is none."""
        if isinstance(node, nodes.Name):
            return self._of_name(node.name)
        if isinstance(node, nodes.Getattr | nodes.Getitem):
            return self._of_part(node)
        raise self.refused(f"the expression {type(node).__name__.lower()}")

    def _of_name(self, name: str) -> Path:
        for names in reversed(self.loops):
            if name in names:
                found: Path = names[name]
                return found
        if name == "loop":
            raise self.refused("the loop itself")
        root = "@root." if self.loops else "this." if name in _HELPERS else ""
        return Path(f"{root}{name}", self.schemas.get(name, {}))

    def _of_part(self, node: nodes.Getattr | nodes.Getitem) -> Path:
        key: object = node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", None)
        if isinstance(node.node, nodes.Name) and node.node.name == "loop" and self.loops:
            if key not in _LOOP:
                raise self.refused(f"loop.{key}")
            return Path(_LOOP[str(key)], {"type": "integer" if key == "index0" else "boolean"})
        whole = self.path(node.node)
        if (
            not isinstance(key, str | int)
            or isinstance(key, bool)
            or "]" in str(key)
            or (isinstance(key, int) and key < 0)
        ):
            raise self.refused("a part that is computed")
        properties, items = whole.schema.get("properties"), whole.schema.get("items")
        inner = properties.get(key) if isinstance(properties, Mapping) else items if isinstance(key, int) else None
        step = key if isinstance(key, str) and key.isidentifier() else f"[{key}]"
        return Path(f"{whole.written}.{step}", dict(inner) if isinstance(inner, Mapping) else {})

    def printed(self, node: nodes.Expr) -> str:
        """Return what prints an expression: a tag, or a choice of two."""
        if isinstance(node, nodes.Const) and isinstance(node.value, str):
            return text_of(node.value)
        if isinstance(node, nodes.Filter):
            return self._filtered(node)
        if isinstance(node, nodes.CondExpr):
            after = "" if node.expr2 is None else f"{{{{else}}}}{self.printed(node.expr2)}"
            test = self.test(node.test)
            return f"{{{{#{test}}}}}{self.printed(node.expr1)}{after}{{{{/{test.split()[0]}}}}}"
        path = self.path(node)
        if reason := _PRINTED.get(type_of(path.schema)):
            self.draft.lose(f"line {self.line}", "substituted", reason)
        return f"{{{{{path.written}}}}}"

    def _filtered(self, node: nodes.Filter) -> str:
        args = [getattr(one, "value", None) for one in node.args]
        if node.name in ("default", "d") and args == [""] and not node.kwargs and node.node is not None:
            return self.printed(node.node)
        if node.name != "tojson" or args or node.node is None:
            raise self.refused(f"the filter {node.name!r}")
        options: dict[Any, Any] = {one.key: _constant(one.value) for one in node.kwargs}
        path = self.path(node.node).written
        if options == {"separators": [",", ":"]}:
            return f"{{{{json {path}}}}}"
        if set(options) == {"indent"} and isinstance(options["indent"], int):
            return f"{{{{json {path} indent={options['indent']}}}}}"
        if options:
            raise self.refused("the filter 'tojson' with these options")
        self.draft.lose(f"line {self.line}", "substituted", "JSON has no blanks behind , and : there")
        return f"{{{{json {path}}}}}"

    # tests -------------------------------------------------------------------------------------

    def test(self, node: nodes.Node, *, is_not: bool = False) -> str:
        """Return a test as a helper and its arguments. Raises MigrationError."""
        if isinstance(node, nodes.Not):
            return self.test(node.node, is_not=not is_not)
        if isinstance(node, nodes.Compare) and len(node.ops) == 1 and node.ops[0].op in ("eq", "ne"):
            is_equal = (node.ops[0].op == "eq") != is_not
            sides = f"{self._side(node.expr)} {self._side(node.ops[0].expr)}"
            return f"{'ifEquals' if is_equal else 'unlessEquals'} {sides}"
        path = self.path(node)
        if type_of(path.schema) == "object":
            self.draft.lose(f"line {self.line}", "substituted", "an empty object is true there")
        return f"{'unless' if is_not else 'if'} {path.written}"

    def _side(self, node: nodes.Node) -> str:
        if not isinstance(node, nodes.Const):
            return self.path(node).written
        if isinstance(node.value, str):
            quote = next((one for one in "\"'" if one not in node.value), None)
            if quote is None or "}}" in node.value:
                raise self.refused("a text of this kind in a comparison")
            return f"{quote}{node.value}{quote}"
        if node.value is None or isinstance(node.value, float):
            raise self.refused("a comparison with such a value")
        return json.dumps(node.value)

    # loops -------------------------------------------------------------------------------------

    def loop(self, node: nodes.For) -> str:
        """Return the loop as a helper and its arguments, and bind its names. Raises MigrationError."""
        if node.test is not None or node.recursive:
            raise self.refused("a loop with a condition")
        subject, targets = node.iter, node.target
        is_items = isinstance(subject, nodes.Filter) and subject.name == "items" and subject.node is not None
        if isinstance(subject, nodes.Call) and isinstance(subject.node, nodes.Getattr) and subject.node.attr == "items":
            subject, is_items = subject.node.node, True
        elif isinstance(subject, nodes.Filter) and is_items and subject.node is not None:
            subject = subject.node
        whole = self.path(subject)
        names = (
            [one.name for one in targets.items if isinstance(one, nodes.Name)]
            if isinstance(targets, nodes.Tuple)
            else []
        )
        if isinstance(targets, nodes.Name) and not is_items:
            item = whole.schema.get("items")
            self.loops.append({targets.name: Path(targets.name, item if isinstance(item, Mapping) else {})})
            return f"each {whole.written} as |{targets.name}|"
        if is_items and len(names) == 2:
            self.loops.append({name: Path(name) for name in names})
            return f"each {whole.written} as |{names[1]} {names[0]}|"
        raise self.refused("a loop of this kind")


def _constant(node: nodes.Node) -> Any:
    return [_constant(one) for one in node.items] if isinstance(node, nodes.List) else getattr(node, "value", None)


def text_of(text: str) -> str:
    """Return a text as Handlebars writes it.

    >>> text_of("a {{ b }}")
    'a \\\\{{ b }}'
    """
    return text.replace("{{", "\\{{")
