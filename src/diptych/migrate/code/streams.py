"""Reads of a stream's chunks: ``.text`` becomes ``.delta.content or ""``.

Rule: a chunk of Chat may have no choices (usage, or filters of Azure), and a delta no
content; every read is guarded against both, once a loop where that is the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from .plan import Plan, Site
from .source import Node, Source, quotes_around


@dataclass(eq=False)
class _Loop:
    node: Any
    site: Site
    reads: list[Any] = field(default_factory=list)


class Streams:
    """The loops over streams of one source."""

    _unread = "chunks without choices"

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.source: Source = plan.source
        self._loops: dict[Node, _Loop] = {}
        self._texts: list[tuple[Any, str, Site, bool]] = []
        self._indexed: list[tuple[Any, Site]] = []
        plan.later.append(self._settle)

    def loop(self, node: Any, site: Site) -> None:
        """Note a loop over a stream's chunks."""
        self._loops[node] = _Loop(node, site)

    def text(self, node: Any, sdk: str, site: Site) -> None:
        """Note a read of a chunk's text."""
        self._texts.append((node, sdk, site, True))

    def guarded(self, node: Any, site: Site) -> None:
        """Note a read of another field of a chunk's choice, which may be absent, too."""
        self._texts.append((node, "", site, False))

    def indexed(self, node: Any, site: Site) -> bool:
        """Note that a chunk's choice is taken out of its list; tell whether that can be guarded."""
        if self._guard(node, node.value, write=False) == "expression":
            return False
        self._indexed.append((node, site))
        return True

    def _settle(self) -> None:
        for node, site in self._indexed:
            if self.plan.is_good(site):
                self._guard(node, node.value)
        for node, sdk, site, is_text in self._texts:
            if not self.plan.is_good(site):
                continue
            chunk = self._chunk_of(node)
            how = self._guard(node, chunk)
            if not is_text:
                if how == "expression" and chunk is not None:
                    self._wrap(node, site, chunk)
                continue
            self._write(node, sdk, site, chunk if how == "expression" else None)

    def _write(self, node: Any, sdk: str, site: Site, chunk: Any) -> None:
        quote = "''" if '"' in quotes_around(self.source, node) else '""'
        key = f"{quote[0]}content{quote[0]}"
        head = node.value
        _, end = self.source.outer(head)
        start = self.source.outer(node)[0] if not node.lpar else self.source.span(node)[0]
        stop = self.source.span(node)[1]
        delta = ".delta" if isinstance(node, cst.Attribute) else f"[{quote[0]}delta{quote[0]}]"
        content = ".content" if sdk == "v1" and isinstance(node, cst.Attribute) else f".get({key})"
        parens = not node.lpar and (self._needs_parens(node))
        tail = f"{delta}{content} or {quote}"
        if chunk is not None:
            tail += f" if {self._choices(chunk)} else {quote}"
        if parens:
            self.plan.edit(site, start, start, "(")
        self.plan.edit(site, end, stop, tail + (")" if parens else ""))
        self.plan.change(site, node, '.text became .delta.content or ""', "stream")

    def _wrap(self, node: Any, site: Site, chunk: Any) -> None:
        start, stop = self.source.outer(node)
        parens = self._needs_parens(node)
        self.plan.edit(site, start, start, "(" if parens else "")
        self.plan.edit(site, stop, stop, f" if {self._choices(chunk)} else None{')' if parens else ''}")

    def _choices(self, chunk: Any) -> str:
        return self.source.code(chunk)

    def _chunk_of(self, node: Any) -> Any:
        """Return ``chunk.choices`` of ``chunk.choices[0].text``, None for a read of a choice's own name."""
        inner = node.value
        if isinstance(inner, cst.Subscript):
            return inner.value
        return None

    def _guard(self, node: Any, chunk: Any, *, write: bool = True) -> str:
        """Return how a read is guarded: "" where there is nothing to guard, loop, or expression."""
        if chunk is None:
            return ""
        code = self.source.code(chunk)
        if any(self._tests(outer, node, code) for outer in self.source.ancestors(node)):
            return ""
        loop = self.source.enclosing(node, cst.For)
        while loop is not None and loop not in self._loops:
            loop = self.source.enclosing(loop, cst.For)
        if loop is not None and self._skips(loop.body.body[0], code):
            return ""
        if loop is None or not self._takes_a_guard(loop, chunk):
            return "expression"
        if write:
            self._guard_loop(loop, code)
        return "loop"

    def _tests(self, outer: Any, node: Any, code: str) -> bool:
        """Tell whether a node is only reached where the list of choices was seen not to be empty."""
        if isinstance(outer, cst.If | cst.IfExp):
            return self.source.inside(node, outer.body) and self._is_sure(outer.test, code)
        if isinstance(outer, cst.BooleanOperation) and isinstance(outer.operator, cst.And):
            return self.source.inside(node, outer.right) and self._is_sure(outer.left, code)
        if isinstance(outer, cst.ListComp | cst.SetComp | cst.GeneratorExp):
            return self.source.inside(node, outer.elt) and any(self._is_sure(i.test, code) for i in outer.for_in.ifs)
        return False

    def _is_sure(self, test: Any, code: str) -> bool:
        if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
            return self._is_sure(test.left, code) or self._is_sure(test.right, code)
        return self.source.code(test) in (code, f"len({code})", f"len({code}) > 0", f"({code})")

    def _takes_a_guard(self, loop: cst.For, chunk: Any) -> bool:
        """Tell whether a loop may skip chunks without choices: it reads nothing else of them."""
        if not isinstance(loop.target, cst.Name) or not isinstance(loop.body, cst.IndentedBlock):
            return False
        if self.source.enclosing(chunk, cst.FunctionDef, cst.Lambda) is not self.source.enclosing(
            loop, cst.FunctionDef, cst.Lambda
        ):
            return False
        for load in self.source.readers(loop.target, loop.target.value):
            outer = self.source.parent(load)
            name = outer.attr.value if isinstance(outer, cst.Attribute) else None
            key = self.source.code(outer) if isinstance(outer, cst.Subscript) else ""
            if name != "choices" and "choices" not in key:
                return False
        return True

    def _skips(self, statement: Any, code: str) -> bool:
        """Tell whether a statement is ``if not chunk.choices: continue``."""
        if not isinstance(statement, cst.If) or not isinstance(statement.test, cst.UnaryOperation):
            return False
        body = statement.body.body
        last: Any = body[-1].body[-1] if body and isinstance(body[-1], cst.SimpleStatementLine) else body[-1]
        is_not = isinstance(statement.test.operator, cst.Not) and self._is_sure(statement.test.expression, code)
        return is_not and isinstance(last, cst.Continue)

    def _guard_loop(self, loop: cst.For, code: str) -> None:
        found = self._loops[loop]
        first = loop.body.body[0]
        start = self.source.line_start(first)
        indent = self.source.text[start : self.source.span(first)[0]]
        step = "\t" if "\t" in indent else self.source.module.default_indent
        newline = self.source.newline
        text = f"if {self._skipped(code)}:{newline}{indent}{step}continue{newline}{indent}"
        at = self.source.span(first)[0]
        if (at, text) not in [(e.start, e.text) for e in found.site.edits]:
            self.plan.edit(found.site, at, at, text)
            self.plan.change(found.site, loop, f"{self._unread} are passed over", "stream")

    def _skipped(self, code: str) -> str:
        """Return the test of chunks that are passed over."""
        return f"not {code}"

    def _needs_parens(self, node: Any) -> bool:
        outer = self.source.parent(node)
        if isinstance(outer, cst.Arg):
            return bool(outer.star)
        if isinstance(outer, cst.Element | cst.DictElement | cst.Index | cst.FormattedStringExpression):
            return False
        if isinstance(outer, cst.Assign | cst.AnnAssign | cst.AugAssign | cst.Return | cst.Expr | cst.Yield):
            return False
        return not isinstance(outer, cst.ListComp | cst.SetComp | cst.GeneratorExp)
