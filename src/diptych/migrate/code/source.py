"""A parsed Python source: where nodes stand, what is around them, which names are the same.

Rule: positions are characters of the text as given. Nothing here knows of any API.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import Any

import libcst as cst
from libcst.metadata import (
    ExpressionContext,
    ExpressionContextProvider,
    GlobalScope,
    MetadataWrapper,
    PositionProvider,
    ScopeProvider,
    WhitespaceInclusivePositionProvider,
)

from .model import Place

_NEWLINE = re.compile(r"\r\n?|\n")
Node = cst.CSTNode
_METADATA: Any = (PositionProvider, WhitespaceInclusivePositionProvider, ScopeProvider, ExpressionContextProvider)


class Source:
    """A module with its metadata. Raises libcst.ParserSyntaxError for what does not parse."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
        self.module = wrapper.module
        found: Any = wrapper.resolve_many(_METADATA)  # one walk for all of them
        self._positions, self._outer, self.scopes, self.contexts = (found[provider] for provider in _METADATA)
        self._lines = [0, *(found.end() for found in _NEWLINE.finditer(text))]
        self.parents: dict[Node, Node] = {}
        self.nodes: list[Node] = list(self._walk(self.module))
        #: Name nodes that read a variable, by name.
        self.loads: dict[str, list[cst.Name]] = {}
        #: Name nodes (or functions, classes, imports, parameters) that bind one, by name.
        self.attributes: dict[str, list[cst.Attribute]] = {}
        for node in self.nodes:
            if isinstance(node, cst.Name) and self.contexts.get(node) in (
                ExpressionContext.LOAD,
                ExpressionContext.DEL,
            ):
                self.loads.setdefault(node.value, []).append(node)
            elif isinstance(node, cst.Attribute):
                self.attributes.setdefault(node.attr.value, []).append(node)

    def _walk(self, node: Node) -> Iterator[Node]:
        """Yield every node, each before those inside it."""
        waiting = [node]
        while waiting:
            node = waiting.pop()
            yield node
            children = node.children
            for child in children:
                self.parents[child] = node
            waiting += reversed(children)

    # where -----------------------------------------------------------------------------------

    def offset(self, line: int, column: int) -> int:
        """Return the character at a 1-based line and 0-based column."""
        return self._lines[line - 1] + column

    def span(self, node: Node) -> tuple[int, int]:
        """Return the characters of a node without the parentheses around it."""
        found = self._positions[node]
        return self.offset(found.start.line, found.start.column), self.offset(found.end.line, found.end.column)

    def outer(self, node: Node) -> tuple[int, int]:
        """Return the characters of an expression with the parentheses around it."""
        found = self._outer[node]
        return self.offset(found.start.line, found.start.column), self.offset(found.end.line, found.end.column)

    def code(self, node: Node) -> str:
        """Return the text of an expression, with its parentheses."""
        start, end = self.outer(node)
        return self.text[start:end]

    def place(self, node: Node) -> Place:
        """Return where a node stands."""
        start = self._positions[node].start
        return Place(self.file, start.line, start.column + 1)

    def line(self, node: Node) -> int:
        """Return the 1-based line that a node begins in."""
        number: int = self._positions[node].start.line
        return number

    def line_start(self, node: Node) -> int:
        """Return the character that the line of a node begins at."""
        return self._lines[self.line(node) - 1]

    @property
    def newline(self) -> str:
        """The line break of the file."""
        found = _NEWLINE.search(self.text)
        return found.group() if found else "\n"

    # around ----------------------------------------------------------------------------------

    def parent(self, node: Node) -> Node:
        """Return the node around a node; the module's is itself."""
        found: Node = self.parents.get(node, node)
        return found

    def ancestors(self, node: Node) -> Iterator[Node]:
        """Yield the nodes around a node, the nearest first."""
        while (outer := self.parents.get(node)) is not None:
            yield outer
            node = outer

    def enclosing(self, node: Node, *kinds: Any) -> Any:
        """Return the nearest node of these kinds around a node, None where there is none."""
        return next((outer for outer in self.ancestors(node) if isinstance(outer, kinds)), None)

    def function_of(self, node: Node) -> Any:
        """Return the function, lambda or class around a node, the module where there is none."""
        return self.enclosing(node, cst.FunctionDef, cst.Lambda, cst.ClassDef) or self.module

    def inside(self, node: Node, outer: Node) -> bool:
        """Tell whether a node stands in another, or is it."""
        return node is outer or any(found is outer for found in self.ancestors(node))

    # names -----------------------------------------------------------------------------------

    def bindings(self, name: cst.Name) -> list[Node]:
        """Return every node that binds what a name reads or binds, in the order of the text."""
        scope = self.scopes.get(name)
        if scope is None:
            return []
        nodes = [a.node for a in scope[name.value] if getattr(a, "node", None) is not None]
        return sorted(nodes, key=lambda node: self._key(node))

    def is_global(self, name: cst.Name) -> bool:
        """Tell whether a name is one of the module, bound in a function by ``global`` or not."""
        scope = self.scopes.get(name)
        return scope is not None and any(isinstance(a.scope, GlobalScope) for a in scope[name.value])

    def readers(self, binding: Node, name: str) -> list[cst.Name]:
        """Return the names that may read the variable that a node binds."""
        return [load for load in self.loads.get(name, ()) if binding in self.bindings(load)]

    def _key(self, node: Node) -> tuple[int, int]:
        start = self._positions[node].start
        return start.line, start.column


def name_of(binding: Node) -> str:
    """Return the name that a function, class, parameter or name node binds."""
    if isinstance(binding, cst.FunctionDef | cst.ClassDef | cst.Param):
        return binding.name.value
    return binding.value if isinstance(binding, cst.Name) else ""


def text_of(node: Any) -> str | None:
    """Return the value of a string literal without holes, None for anything else."""
    if not isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd escapes are the code's own affair
            value = node.evaluated_value
    except (SyntaxError, ValueError):
        return None  # NUL, or an escape that names no character
    return value if isinstance(value, str) else None


def constant_of(node: Any) -> Any:
    """Return the value of a literal: text, number, True, False; ``...`` for anything else.

    None is the literal ``None``.
    """
    if isinstance(node, cst.Integer):
        return node.evaluated_value
    if isinstance(node, cst.Float):
        return node.evaluated_value
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
        value = constant_of(node.expression)
        return -value if isinstance(value, int | float) else ...
    if isinstance(node, cst.Name) and node.value in ("None", "True", "False"):
        return {"None": None, "True": True, "False": False}[node.value]
    text = text_of(node)
    return ... if text is None else text


def key_of(node: cst.Subscript) -> Any:
    """Return the literal key of a subscript, ``...`` for any other."""
    if len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Index):
        return constant_of(node.slice[0].slice.value)
    return ...


def dotted(node: Any) -> tuple[str, ...]:
    """Return the names of ``a.b.c``; what is not a name is an empty one."""
    if isinstance(node, cst.Attribute):
        return (*dotted(node.value), node.attr.value)
    return (node.value,) if isinstance(node, cst.Name) else ("",)


def quotes_around(source: Source, node: Any) -> set[str]:
    """Return the quotes of the f-strings that an expression stands in."""
    return {
        outer.start.lstrip("rRfFbBuU")[0] for outer in source.ancestors(node) if isinstance(outer, cst.FormattedString)
    }


def requoted(source: Source, node: Any, text: str) -> str:
    """Return a text as a literal in the quotes of another."""
    start = source.code(node).lstrip("(rRuUbB \t\r\n")[:1]
    quote = start if start in "'\"" and start else '"'
    return f"{quote}{text}{quote}"


def bound(source: Source, name: Node) -> tuple[str, Any, cst.Annotation | None]:
    """Return how a name is bound: value, iter, with or "" for anything else; to what; its annotation."""
    outer = source.parent(name)
    if isinstance(outer, cst.AssignTarget):
        assign: Any = source.parent(outer)
        return "value", assign.value, None
    if isinstance(outer, cst.AnnAssign) and outer.target is name:
        return "value", outer.value, outer.annotation
    if isinstance(outer, cst.NamedExpr) and outer.target is name:
        return "value", outer.value, None
    if isinstance(outer, cst.For | cst.CompFor) and outer.target is name:
        return "iter", outer.iter, None
    if isinstance(outer, cst.AsName) and isinstance(item := source.parent(outer), cst.WithItem):
        return "with", item.item, None
    if isinstance(outer, cst.Element) and isinstance(tuple_ := source.parent(outer), cst.Tuple | cst.List):
        target = source.parent(tuple_)
        if isinstance(target, cst.AssignTarget):
            value = getattr(source.parent(target), "value", None)
            if isinstance(value, cst.Tuple | cst.List) and len(value.elements) == len(tuple_.elements):
                twin = value.elements[list(tuple_.elements).index(outer)]
                if isinstance(twin, cst.Element):
                    return "value", twin.value, None
        return "part", None, None
    return "", None, None
