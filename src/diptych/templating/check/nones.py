"""Where the None of an input becomes text, or fails.

Rule: ``{{ x }}`` prints nothing where x is None. Everything that makes a text of it first prints
"None": most filters, ``~``, ``%`` and ``format``. What takes it apart fails: loops, ``length``, ``join``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from jinja2 import nodes

from .names import Names, Use, asked

#: What is printed of None by these filters is "None", in some case.
_TO_TEXT: Final = frozenset({
    "capitalize", "center", "dedent", "e", "escape", "fence", "forceescape", "format", "indent", "lower", "replace",
    "safe", "string", "striptags", "title", "trim", "upper", "urlencode", "wordwrap", "xml",
})  # fmt: skip
_FAILING: Final = frozenset({
    "batch", "bullets", "count", "dictsort", "first", "groupby", "join", "last", "length", "list", "map", "max", "min",
    "random", "reject", "rejectattr", "reverse", "round", "select", "selectattr", "slice", "sort", "sum", "truncate",
    "unique",
})  # fmt: skip
#: Filters and methods whose arguments become part of the text.
_FILLED: Final = frozenset({"fence", "format", "join", "replace", "xml"})


class Shown(NamedTuple):
    """A name whose None is printed, or that makes the render fail."""

    name: nodes.Name
    fails: bool = False


def may_be_none(node: nodes.Node, names: Names) -> list[nodes.Name]:
    """Return the names whose None an expression passes on."""
    if isinstance(node, nodes.Name):
        return [node] if node.name in names else []
    if isinstance(node, nodes.CondExpr):
        other = may_be_none(node.expr2, names - asked(node.test, False)) if node.expr2 else []
        return [*may_be_none(node.expr1, names - asked(node.test, True)), *other]
    if isinstance(node, nodes.And):
        return [*may_be_none(node.left, names), *may_be_none(node.right, names - asked(node.left, True))]
    if isinstance(node, nodes.Or):
        return may_be_none(node.right, names - asked(node.left, False))
    if isinstance(node, nodes.Filter) and node.name in ("default", "d") and node.node is not None:
        replaces = len(node.args) > 1 or any(keyword.key == "boolean" for keyword in node.kwargs)
        return may_be_none(node.args[0] if replaces and node.args else node.node, names)
    return []


def shown(use: Use) -> Iterator[Shown]:
    """Yield the names whose None an expression prints, or fails with."""
    node, names, statement = use
    if isinstance(statement, nodes.For) and node is statement.iter:
        yield from (Shown(name, fails=True) for name in may_be_none(node, names))
    is_printed = isinstance(statement, nodes.Output) and not getattr(node, "structural", False)
    if is_printed and not isinstance(node, nodes.Name):
        yield from _texts(node, names)
    yield from _inside(node, names)


def _texts(node: nodes.Node, names: Names) -> Iterator[Shown]:
    """Yield the names whose None an expression is, or has in it, where it becomes text."""
    yield from map(Shown, may_be_none(node, names))
    if isinstance(node, nodes.List | nodes.Tuple):
        for item in node.items:
            yield from _texts(item, names)
    if isinstance(node, nodes.Dict):
        for pair in node.items:
            yield from _texts(pair.value, names)


def _inside(node: nodes.Node, names: Names) -> Iterator[Shown]:
    """Yield the same for the parts of an expression, each with what was asked for before it."""
    if isinstance(node, nodes.Filter) and node.node is not None:
        if node.name in _FAILING and not isinstance(node.node, nodes.List):
            yield from (Shown(name, fails=True) for name in may_be_none(node.node, names))
        if node.name in _TO_TEXT or (node.name == "join" and isinstance(node.node, nodes.List | nodes.Tuple)):
            yield from _texts(node.node, names)
    for part in _filling(node):
        yield from _texts(part, names)
    if isinstance(node, nodes.CondExpr | nodes.And | nodes.Or):
        yield from _branches(node, names)
        return
    for child in node.iter_child_nodes():
        yield from _inside(child, names)


def _filling(node: nodes.Node) -> list[nodes.Node]:
    """Return the parts of an expression that it makes texts of."""
    if isinstance(node, nodes.Concat):
        return list(node.nodes)
    if isinstance(node, nodes.Mod):
        is_text = isinstance(node.left, nodes.Const) and isinstance(node.left.value, str)
        return [node.right] if is_text else []
    name = node.name if isinstance(node, nodes.Filter) else getattr(getattr(node, "node", None), "attr", None)
    if not isinstance(node, nodes.Filter | nodes.Call) or name not in _FILLED:
        return []
    return [*node.args, *(keyword.value for keyword in node.kwargs)]


def _branches(node: nodes.CondExpr | nodes.And | nodes.Or, names: Names) -> Iterator[Shown]:
    if isinstance(node, nodes.CondExpr):
        yield from _inside(node.test, names)
        yield from _inside(node.expr1, names - asked(node.test, True))
        if node.expr2 is not None:
            yield from _inside(node.expr2, names - asked(node.test, False))
        return
    yield from _inside(node.left, names)
    yield from _inside(node.right, names - asked(node.left, isinstance(node, nodes.And)))
