"""Walk a body in the order in which it runs, with the names that still stand for inputs.

Rule: a loop, a macro or ``set`` takes a name away where it gives it a value of its own; a condition
takes the names away that it has asked for. What is left at an expression comes from outside as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import NamedTuple

from jinja2 import nodes

Names = frozenset[str]


class Use(NamedTuple):
    """An expression, the names that still stand for inputs in it, and the statement that it belongs to."""

    expression: nodes.Node
    names: Names
    statement: nodes.Node


#: Walks what it is given, and returns the names that are left behind it.
Walk = Generator[Use, None, Names]
#: Tells whether a name that is set to a value, or loops over it, stands for an input as the value does.
Alias = Callable[[nodes.Assign | nodes.For, Names], bool]


def uses(body: nodes.Node, names: Iterable[str], alias: Alias = lambda *_: False) -> Walk:
    """Yield every expression of a body with those of ``names`` that stand for inputs there."""
    return _node(body, frozenset(names), alias)


def _each(body: Iterable[nodes.Node], names: Names, alias: Alias) -> Walk:
    for node in body:
        names = yield from _node(node, names, alias)
    return names


def _node(node: nodes.Node, names: Names, alias: Alias) -> Walk:
    if isinstance(node, nodes.If):
        return (yield from _if(node, names, alias))
    if isinstance(node, nodes.For):
        return (yield from _for(node, names, alias))
    if isinstance(node, nodes.Output):
        yield from (Use(child, names, node) for child in node.nodes)
        return names
    if isinstance(node, nodes.Assign):
        yield Use(node.node, names, node)
        is_alias = isinstance(node.target, nodes.Name) and alias(node, names)
        return names | stored(node.target) if is_alias else names - stored(node.target)
    inner = names - _own(node)
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Expr):
            yield Use(child, names, node)
        else:
            inner = yield from _node(child, inner, alias)
    return inner if isinstance(node, nodes.Template) else names - _left(node)


def _if(node: nodes.If, names: Names, alias: Alias) -> Walk:
    after: Names = frozenset()
    for branch in (node, *node.elif_):
        yield Use(branch.test, names, node)
        after |= yield from _each(branch.body, names - asked(branch.test, True), alias)
        names -= asked(branch.test, False)
    return after | (yield from _each(node.else_, names, alias))


def _for(node: nodes.For, names: Names, alias: Alias) -> Walk:
    yield Use(node.iter, names, node)
    targets = stored(node.target)
    inner = (names | targets if alias(node, names) else names - targets) - {"loop"}
    if node.test is not None:
        yield Use(node.test, inner, node.test)
        inner -= asked(node.test, True)
    yield from _each(node.body, inner, alias)
    yield from _each(node.else_, names, alias)
    return names


def stored(node: nodes.Node) -> Names:
    """Return the names that a target gives values to."""
    found = [node, *node.find_all(nodes.Name)]
    return frozenset(one.name for one in found if isinstance(one, nodes.Name) and one.ctx != "load")


def _own(node: nodes.Node) -> Names:
    """Return the names that the inside of a statement has for itself."""
    if isinstance(node, nodes.Macro | nodes.CallBlock):
        return frozenset({arg.name for arg in node.args} | {"varargs", "kwargs", "caller"})
    if isinstance(node, nodes.With):
        return frozenset().union(*map(stored, node.targets))
    return frozenset()


def _left(node: nodes.Node) -> Names:
    """Return the names that stand for something else behind a statement."""
    if isinstance(node, nodes.Macro):
        return frozenset({node.name})
    if isinstance(node, nodes.AssignBlock):
        return stored(node.target)
    if isinstance(node, nodes.Import):
        return frozenset({node.target})
    if isinstance(node, nodes.FromImport):
        return frozenset(name if isinstance(name, str) else name[1] for name in node.names)
    return frozenset()


def asked(test: nodes.Node, outcome: bool) -> Names:
    """Return the names that cannot be None where a condition is true, or false."""
    if isinstance(test, nodes.Not):
        return asked(test.node, not outcome)
    if isinstance(test, nodes.And | nodes.Or):
        left, right = asked(test.left, outcome), asked(test.right, outcome)
        return left | right if isinstance(test, nodes.And) is outcome else left & right
    if isinstance(test, nodes.Test):
        is_none, is_defined = test.name == "none", test.name in ("defined", "undefined")
        return frozenset() if is_defined or is_none is outcome else _base(test.node)
    if isinstance(test, nodes.Compare):
        return _compared(test, outcome)
    if isinstance(test, nodes.Filter) and test.name in ("default", "d", "trim", "string"):
        return _base(test) if outcome and test.name in ("default", "d") else frozenset()
    return _base(test) if outcome else frozenset()


def _compared(test: nodes.Compare, outcome: bool) -> Names:
    """Return what a comparison says: ``!= none``, ``== 'a'``; ``<`` and ``in`` fail with None."""
    operation = test.ops[0]
    is_none = isinstance(operation.expr, nodes.Const) and operation.expr.value is None
    if operation.op in ("eq", "ne"):
        return _base(test.expr) if (operation.op == "eq") is (outcome is not is_none) else frozenset()
    return _base(test.expr) if operation.op != "notin" or not outcome else frozenset()


def _base(node: nodes.Node) -> Names:
    """Return the name that an expression begins with: ``a`` of ``a.b`` and ``a | length``."""
    while isinstance(node, nodes.Getattr | nodes.Getitem | nodes.Filter | nodes.Call) and node.node is not None:
        node = node.node
    return frozenset({node.name}) if isinstance(node, nodes.Name) else frozenset()
