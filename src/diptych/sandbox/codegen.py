"""Write guards into the code of a template where Jinja's own hooks cost too much.

Jinja's sandbox calls a method of the environment for every operator and every call. A
chat template is little more than ``+``: here a whole chain of it is one call, which checks
the size once. What the guards themselves call is no call of the template's.
"""

from __future__ import annotations

from typing import Any

from jinja2 import nodes
from jinja2.compiler import Frame, operators

from .nesting import NestingCodeGenerator


class GuardCodeGenerator(NestingCodeGenerator):
    """Write ``add(a, b, c)`` for ``a + b + c``, and call guards directly."""

    def write_commons(self) -> None:
        super().write_commons()
        for name in ("add", "printed", "searched", "sliced", "weighed"):
            self.writeline(f"{name} = environment.{name}")

    def visit_Add(self, node: nodes.BinExpr, frame: Frame) -> None:
        self._write_call("add", _operands(node), frame)

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        if isinstance(node.node, nodes.EnvironmentAttribute):
            self._write_call(f"environment.{node.node.name}", node.args, frame)
        else:
            super().visit_Call(node, frame, forward_caller=forward_caller)

    def buffer(self, frame: Frame) -> None:
        """Watch what a macro or a block prints."""
        frame.buffer = self.temporary_identifier()
        self.writeline(f"{frame.buffer} = environment.new_buffer()")

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:
        """Charge what the operands of a comparison are walked through; with a constant it ends at once."""
        values = [node.expr, *(operand.expr for operand in node.ops)]
        guards: list[str] = ["weighed"] * len(values)
        for index, operand in enumerate(node.ops):
            if operand.op in ("in", "notin"):
                guards[index + 1] = "searched"
        if len(values) == 2 and guards[1] == "weighed" and any(map(_is_small, values)):
            guards = ["", ""]
        self.write("(")
        for index, (value, guard) in enumerate(zip(values, guards, strict=True)):
            if index:
                self.write(f" {operators[node.ops[index - 1].op]} ")
            if guard and not _is_small(value):
                self._write_call(guard, [value], frame)
            else:
                value.is_free = True  # type: ignore[attr-defined]  # Python makes such a list once, if at all
                self.visit(value, frame)
        self.write(")")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:
        if not isinstance(node.arg, nodes.Slice):
            super().visit_Getitem(node, frame)
            return
        self._write_call("sliced", [node.node], frame, end="")
        self.write("slice(")
        for bound in (node.arg.start, node.arg.stop, node.arg.step):
            if bound is None:
                self.write("None")
            else:
                self.visit(bound, frame)
            self.write(", ")
        self.write("))")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        self.write("printed(")

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        self.write(")")

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: Any) -> str:
        # Nothing is computed while a template is compiled: no caps hold there, and filters of the caller's would run.
        if not isinstance(node, nodes.Const | nodes.TemplateData):
            raise nodes.Impossible
        return super()._output_child_to_const(node, frame, finalize)

    def _write_call(self, name: str, args: list[nodes.Expr], frame: Frame, end: str = ")") -> None:
        self.write(f"{name}(")
        for arg in args:
            self.visit(arg, frame)
            self.write(", ")
        self.write(end)


def _is_small(node: nodes.Expr) -> bool:
    """Return whether a value is a short constant of the source, or a list of such: it costs nothing to walk."""
    if isinstance(node, nodes.List | nodes.Tuple):
        return len(node.items) < 100 and all(isinstance(item, nodes.Const) and _is_small(item) for item in node.items)
    return isinstance(node, nodes.Const) and not (isinstance(node.value, str) and len(node.value) > 1000)


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
