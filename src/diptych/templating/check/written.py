"""What a body says as it is written: its messages, and values that need no computing."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from jinja2 import nodes

#: What has a value without anything being computed, however large.
_PLAIN: Final = (
    nodes.Const, nodes.Not, nodes.And, nodes.Or, nodes.Compare, nodes.Operand, nodes.List, nodes.Tuple, nodes.Dict,
    nodes.Pair, nodes.Neg,
)  # fmt: skip


class WrittenMessage(NamedTuple):
    """A message of the body: where it begins, its role where that is written out, and what is in it."""

    start: nodes.Node
    role: str | None
    inside: list[nodes.Node]


def written_messages(parent: nodes.Node) -> list[WrittenMessage]:
    """Return the messages that are written out in a body."""
    found: list[WrittenMessage] = []
    inside: list[nodes.Node] | None = None
    for node in parent.iter_child_nodes():
        fields = getattr(node, "message_fields", None)
        if fields is not None:
            role, inside = fields.get("role"), []
            found.append(WrittenMessage(node, role.value if isinstance(role, nodes.Const) else None, inside))
        elif inside is not None and _is_end(node):
            inside = None
        elif inside is not None:
            inside.append(node)
        else:
            found += written_messages(node)
    return found


def _is_end(node: nodes.Node) -> bool:
    """Tell whether a node ends a message."""
    first = node.nodes[0] if isinstance(node, nodes.Output) and node.nodes else None
    called = first.node if isinstance(first, nodes.Call) else None
    return isinstance(called, nodes.ExtensionAttribute) and called.name == "make_end"


def constants(node: nodes.Node) -> list[Any]:
    """Return the value of an expression in a list, or nothing where it has to be computed."""
    inner = [node, *node.find_all(nodes.Node)]
    return [node.as_const()] if isinstance(node, nodes.Expr) and all(isinstance(one, _PLAIN) for one in inner) else []
