"""The names that a template uses and does not set: found in its syntax tree, without computing anything.

Jinja's own search folds constants on the way, so it runs filters before any cap holds.
"""

from __future__ import annotations

from typing import Any

from jinja2 import nodes
from jinja2.compiler import Frame
from jinja2.meta import TrackingCodeGenerator


class _Names(TrackingCodeGenerator):
    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.optimizer = None

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: Any) -> str:
        raise nodes.Impossible


def undeclared_names(tree: nodes.Template) -> frozenset[str]:
    """Return the names that a tree of this environment's reads from outside. Raises what compiling raises."""
    finder = _Names(tree.environment)
    finder.visit(tree)
    return frozenset(finder.undeclared_identifiers)
