"""Comments over refused statements: ``# TODO(diptych): code: reason``, once."""

from __future__ import annotations

import libcst as cst

from .edits import Edit
from .model import Change, Refusal
from .source import Source

MARK = "# TODO(diptych): "


def todo_edits(source: Source, refusals: list[Refusal]) -> tuple[list[Edit], list[Change]]:
    """Return the insertions, one a refused statement that has no such comment yet."""
    edits, changes = [], []
    starts = {source.line(n): n for n in reversed(source.nodes) if isinstance(n, cst.BaseStatement)}
    lines = source.text.splitlines()
    for refusal in refusals:
        line = _statement_line(source, refusal.place.line)
        node = starts.get(line)
        if node is None:
            continue
        at = source.line_start(node)
        indent = source.text[at : source.span(node)[0]]
        if indent.strip():
            continue
        comment = f"{MARK}{refusal.code}: {refusal.reason}"
        above = line - 2
        seen = False
        while above >= 0 and lines[above].strip().startswith("#"):
            seen = seen or lines[above].strip().startswith(f"{MARK}{refusal.code}:")
            above -= 1
        if not seen:
            edits.append(Edit(at, at, f"{indent}{comment}{source.newline}"))
            changes.append(Change(refusal.place, f"a TODO comment: {refusal.code}", "todo"))
    return list(dict.fromkeys(edits)), changes


def _statement_line(source: Source, line: int) -> int:
    """Return the line that the innermost statement around a line begins in."""
    best = 0
    for node in source.nodes:
        if isinstance(node, cst.BaseStatement):
            first = source.line(node)
            last = first + source.text[slice(*source.span(node))].count("\n")
            if first <= line <= last and first >= best:
                best = first
    return best
