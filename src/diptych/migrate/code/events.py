"""Reads of a stream's events: ``chunk.choices[0].text`` becomes ``chunk.delta`` of events that hold text.

Rule: a stream of Responses has events of many kinds; every read is guarded by the kind, once a loop where that
is the same.
"""

from __future__ import annotations

from typing import Any, Final

import libcst as cst

from .plan import Site
from .source import quotes_around
from .streams import Streams

_KIND: Final = "response.output_text.delta"


class Events(Streams):
    """The loops over streams of one source, as those of events."""

    _unread = "events without text"

    def tested(self, node: cst.Attribute, site: Site) -> None:
        """Rewrite ``chunk.choices`` where only its truth counts: whether the event holds text."""
        outer = self.source.parent(node)
        start, end = self.source.outer(node)
        operator = "=="
        if isinstance(outer, cst.UnaryOperation):
            (start, end), operator = self.source.span(outer), "!="
        self.plan.edit(site, start, end, self._kind(self.source.code(node), operator, quotes_around(self.source, node)))

    def _kind(self, choices: str, operator: str, avoid: set[str]) -> str:
        quote = "'" if '"' in avoid else '"'
        return f"{choices.removesuffix('.choices')}.type {operator} {quote}{_KIND}{quote}"

    def _skipped(self, code: str) -> str:
        return self._kind(code, "!=", set())

    def _write(self, node: Any, sdk: str, site: Site, chunk: Any) -> None:
        avoid = quotes_around(self.source, node)
        quote = "''" if '"' in avoid else '""'
        choices = node.value.value
        tail = f" if {self._kind(self.source.code(choices), '==', avoid)} else {quote}" if chunk is not None else ""
        start, end = self.source.outer(choices.value)[1], self.source.span(node)[1]
        parens = bool(tail) and not node.lpar and self._needs_parens(node)
        if parens:
            head = self.source.outer(choices.value)[0]
            self.plan.edit(site, head, head, "(")
        self.plan.edit(site, start, end, f".delta{tail}" + (")" if parens else ""))
        self.plan.change(site, node, ".choices[0].text became .delta of events that hold text", "stream")
