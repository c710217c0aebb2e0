"""Which input a printed expression comes from, found at compile time.

Rule: an expression that uses one input is labelled with it, through attributes,
filters, loop variables and ``{% set %}``; one that uses several, or a macro's
argument, has no label. A label only informs: that a value is data is decided at
run time, not here.
"""

from __future__ import annotations

from collections.abc import Iterable

from jinja2 import nodes

_GLOBALS = frozenset({"range", "dict", "namespace", "cycler", "joiner", "loop", "caller", "varargs", "kwargs"})


class LabelVisitor:
    """Walk the statements in order and set ``node.label`` on printed expressions."""

    def __init__(self) -> None:
        # Local names and the input they come from; None for "not one input".
        self.scope: dict[str, str | None] = {}

    def visit_body(self, body: Iterable[nodes.Node]) -> None:
        for node in body:
            self._visit(node)

    def _visit(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.Output):
            for child in node.nodes:
                child.label = self.label_of(child)  # type: ignore[attr-defined]
        elif isinstance(node, nodes.For):
            self._visit_for(node)
        elif isinstance(node, nodes.Macro | nodes.CallBlock):
            self._visit_macro(node)
        elif isinstance(node, nodes.Assign):
            self._bind(node.target, self.label_of(node.node))
        elif isinstance(node, nodes.AssignBlock):
            self.visit_body(node.body)
            self._bind(node.target, None)
        elif isinstance(node, nodes.With):
            for target, value in zip(node.targets, node.values, strict=True):
                self._bind(target, self.label_of(value))
            self.visit_body(node.body)
        elif isinstance(node, nodes.Import):
            self.scope[node.target] = None
        elif isinstance(node, nodes.FromImport):
            for name in node.names:
                self.scope[name[1] if isinstance(name, tuple) else name] = None
        else:
            self.visit_body(node.iter_child_nodes())

    def _visit_for(self, node: nodes.For) -> None:
        outer = dict(self.scope)
        self._bind(node.target, self.label_of(node.iter))
        self.visit_body(node.body)
        self.scope = outer
        self.visit_body(node.else_)

    def _visit_macro(self, node: nodes.Macro | nodes.CallBlock) -> None:
        outer = dict(self.scope)
        for argument in node.args:
            self._bind(argument, None)
        self.visit_body(node.body)
        self.scope = outer
        if isinstance(node, nodes.Macro):
            self.scope[node.name] = None

    def _bind(self, target: nodes.Node, label: str | None) -> None:
        for name in [target] if isinstance(target, nodes.Name) else target.find_all(nodes.Name):
            self.scope[name.name] = label

    def label_of(self, node: nodes.Node) -> str | None:
        """Return the one input that the expression uses, or None."""
        names = [node] if isinstance(node, nodes.Name) else list(node.find_all(nodes.Name))
        found: set[str | None] = set()
        for name in names:
            if name.name in self.scope:
                found.add(self.scope[name.name])
            elif name.name not in _GLOBALS:
                found.add(name.name)
        return found.pop() if len(found) == 1 else None
