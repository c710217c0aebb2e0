"""Compile templates so that every printed value says which input it came from.

Rule: the code generator marks what Jinja's own would turn into bare text. Author
text stays a constant; a printed expression becomes ``(input, text)``. The hooks
used here (``_output_child_pre``, ``_output_child_post``, ``write_commons``) are
semi-private in Jinja: it is pinned below 4, and tests hold them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import nodes
from jinja2.compiler import Frame

from ..sandbox.codegen import GuardCodeGenerator
from ..sandbox.environment import GuardTransformer
from .events import capture, shown, text
from .labels import LabelVisitor
from .whitespace import TrimmingEnvironment


class TraceTransformer(GuardTransformer):
    """Guard loops as everywhere, and turn filter blocks into captured sets.

    Jinja prints the result of ``{% filter %}`` without asking; as a set block and a
    print it goes through the same hook as any other value.
    """

    _count = 0

    def visit_Template(self, node: nodes.Template) -> nodes.Node:
        LabelVisitor().visit_body(node.body)
        self.generic_visit(node)
        return node

    def visit_FilterBlock(self, node: nodes.FilterBlock) -> list[nodes.Node]:
        self.generic_visit(node)
        TraceTransformer._count += 1
        name = f"_diptych_filtered_{TraceTransformer._count}"
        line = node.lineno
        target = nodes.Name(name, "store", lineno=line)
        printed = nodes.Output([nodes.Name(name, "load", lineno=line)], lineno=line)
        return [nodes.AssignBlock(target, node.filter, node.body, lineno=line), printed]


class TraceCodeGenerator(GuardCodeGenerator):
    """Yield ``(input, text(value))`` for every printed expression."""

    def write_commons(self) -> None:
        super().write_commons()
        self.writeline("text = environment.text")
        self.writeline("shown = environment.shown")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if not getattr(node, "structural", False):
            shown = "shown" if isinstance(node, nodes.Name) else "text"
            self.write(f"({getattr(node, 'label', None)!r}, {shown}(")

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if not getattr(node, "structural", False):
            self.write("))")

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        # Only {% call %} forwards a caller, and it prints its result at once.
        if forward_caller:
            self.write("(None, text(")
        super().visit_Call(node, frame, forward_caller=forward_caller)
        if forward_caller:
            self.write("))")


class TraceEnvironment(TrimmingEnvironment):
    """The environment of Diptych's own templates."""

    code_generator_class = TraceCodeGenerator
    transformer_class = TraceTransformer
    concat = staticmethod(capture)
    text = staticmethod(text)
    shown = staticmethod(shown)
    #: The folder that media are read from, where the program gave one.
    media: Path | None = None
