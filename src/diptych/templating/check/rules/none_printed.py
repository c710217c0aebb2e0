"""An optional input that prints ``None``.

An input that was not given prints nothing by itself, but ``None`` through a filter, in ``~`` or in a
format. Ask for it first (``{% if x %}``), or give it a default.
"""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from ..finding import Finding
from ..subject import Subject

CODE = "T104"
BAD = "---\ninputs:\n  tone: string?\n---\n{{ tone | upper }}"
GOOD = "---\ninputs:\n  tone: string?\n---\n{% if tone %}{{ tone | upper }}{% endif %}"

_SAFE = frozenset({"default", "d", "tojson"})


def check(subject: Subject) -> Iterator[Finding]:
    """Find printed expressions over an optional input that nothing asked for before."""
    if subject.template is None or subject.tree is None:
        return
    if "inputs" not in subject.front:
        return
    optional = {item.name for item in subject.template.inputs.values() if not item.required and item.default is None}
    if optional - subject.assigned:
        yield from _in(subject, subject.tree, frozenset(optional - subject.assigned))


def _in(subject: Subject, node: nodes.Node, names: frozenset[str]) -> Iterator[Finding]:
    if isinstance(node, nodes.If):
        asked = {name.name for name in node.test.find_all(nodes.Name)} | _name(node.test)
        names = names - asked
    if isinstance(node, nodes.Output):
        for child in node.nodes:
            if (name := _printed(child)) in names and not isinstance(child, nodes.Name):
                message = f"{name!r} prints None where it is not given"
                hint = f"write {{% if {name} %}} around it, or give the input a default"
                yield Finding(CODE, message, subject.at(child.lineno, name), hint)
        return
    for inner in node.iter_child_nodes():
        yield from _in(subject, inner, names)


def _name(node: nodes.Node) -> set[str]:
    return {node.name} if isinstance(node, nodes.Name) else set()


def _printed(node: nodes.Node) -> str | None:
    """Return the name whose None would be printed by an expression."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Filter) and node.name not in _SAFE and node.node is not None:
        return _printed(node.node)
    if isinstance(node, nodes.Concat):
        return next(filter(None, map(_printed, node.nodes)), None)
    return None
