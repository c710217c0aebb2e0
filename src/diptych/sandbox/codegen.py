"""Write guards into the code of a template where Jinja's own hooks cost too much.

Jinja's sandbox calls a method of the environment for every operator and every call. A
chat template is little more than ``+``: here a whole chain of it is one call, which checks
the size once. What the guards themselves call is no call of the template's.
"""

from __future__ import annotations

from typing import Any

from jinja2 import nodes
from jinja2.compiler import Frame

from .nesting import NestingCodeGenerator


class GuardCodeGenerator(NestingCodeGenerator):
    """Write ``add(a, b, c)`` for ``a + b + c``, and call guards directly."""

    def write_commons(self) -> None:
        super().write_commons()
        self.writeline("add = environment.add")

    def visit_Add(self, node: nodes.BinExpr, frame: Frame) -> None:
        self._write_call("add", _operands(node), frame)

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        if isinstance(node.node, nodes.EnvironmentAttribute):
            self._write_call(f"environment.{node.node.name}", node.args, frame)
        else:
            super().visit_Call(node, frame, forward_caller=forward_caller)

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: Any) -> str:
        # Nothing is computed while a template is compiled: no caps hold there, and filters of the caller's would run.
        if not isinstance(node, nodes.Const | nodes.TemplateData):
            raise nodes.Impossible
        return super()._output_child_to_const(node, frame, finalize)

    def _write_call(self, name: str, args: list[nodes.Expr], frame: Frame) -> None:
        self.write(f"{name}(")
        for arg in args:
            self.visit(arg, frame)
            self.write(", ")
        self.write(")")


def _operands(node: nodes.Expr) -> list[nodes.Expr]:
    """Return the operands of a chain of ``+``.

    The chain ends before a call, which may raise words of its own, such as those of
    ``raise_exception``: what is added before it fails first.
    """
    operands: list[nodes.Expr] = []
    while isinstance(node, nodes.Add):
        operands.append(node.right)
        is_end = isinstance(node.right, nodes.Call) or node.right.find(nodes.Call) is not None
        node = node.left
        if is_end:
            break
    return [node, *reversed(operands)]
