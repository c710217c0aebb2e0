"""Statements that a change made too long, wrapped as a formatter wraps them.

Rule: only a line that keeps the length before and does not after is wrapped: what is inside its widest bracket goes
to a line of its own, or each element to one, with a comma after the last. Texts are never broken.
"""

from __future__ import annotations

import ast
import bisect
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import libcst as cst
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider, WhitespaceInclusivePositionProvider

from .edits import Edit, apply

_NEWLINE: Final = re.compile(r"\r\n?|\n")
_PROVIDERS: Any = (PositionProvider, WhitespaceInclusivePositionProvider, ParentNodeProvider)


class _Bracket(NamedTuple):
    """A bracket: the characters between its marks, and those of its elements."""

    start: int
    end: int
    elements: list[tuple[int, int]]
    is_literal: bool
    takes_comma: bool
    #: Its first element stands on a line of its own.
    is_open: bool


def wrapped(old: str, edits: Sequence[Edit], text: str, width: int) -> str:
    """Return the new text with the lines wrapped that the edits of the old one made longer than ``width``.

    >>> edits = [Edit(8, 9, "a_long_name")]
    >>> print(wrapped("call_it(x, y)", edits, "call_it(a_long_name, y)", 20))
    call_it(
        a_long_name, y
    )
    """
    lines = _grown(old, edits, text, width)
    if not lines:
        return text
    found = apply(text, _Layout(text, width).opened(lines))
    return found if _means_the_same(text, found) else text


def _means_the_same(text: str, other: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd escapes are the source's own affair
        try:
            return ast.dump(ast.parse(text)) == ast.dump(ast.parse(other))
        except (SyntaxError, ValueError, RecursionError):
            return False


def _starts(text: str) -> list[int]:
    return [0, *(found.end() for found in _NEWLINE.finditer(text))]


def _too_long(text: str, start: int, width: int) -> bool:
    found = _NEWLINE.search(text, start)
    return (found.start() if found else len(text)) - start > width


def _grown(old: str, edits: Sequence[Edit], text: str, width: int) -> list[tuple[int, int]]:
    """Return the lines of the new text that stand for changed ones which kept the width, and do not."""
    starts, new_starts, found, shift = _starts(old), _starts(text), list[tuple[int, int]](), 0
    for edit in sorted(dict.fromkeys(edits), key=lambda edit: (edit.start, edit.end)):
        first = bisect.bisect_right(starts, edit.start) - 1
        last = bisect.bisect_right(starts, edit.end) - 1
        kept = not any(_too_long(old, starts[line], width) for line in range(first, last + 1))
        start, shift = edit.start + shift, shift + len(edit.text) - (edit.end - edit.start)
        lines = range(bisect.bisect_right(new_starts, start) - 1, bisect.bisect_right(new_starts, edit.end + shift))
        if kept:
            found += [(new_starts[n], new_starts[n + 1] if n + 1 < len(new_starts) else len(text)) for n in lines]
    return sorted({(a, b) for a, b in found if _too_long(text, a, width)})


def _indent(text: str, line: int) -> str:
    found = re.compile(r"[ \t]*").match(text, line)
    return found.group() if found else ""


class _Layout:
    """Opens the brackets of one text."""

    def __init__(self, text: str, width: int) -> None:
        self.text, self.width = text, width
        self.brackets = list(_brackets(text))
        found = _NEWLINE.search(text)
        self.newline = found.group() if found else "\n"

    def opened(self, lines: list[tuple[int, int]]) -> Iterator[Edit]:
        """Yield an edit for the widest bracket of each line, none inside another."""
        done = -1
        for start, end in lines:
            chosen = (self._around(start, end) or self._widest(start, end)) if start >= done else None
            if chosen is not None:
                line = self.text.rfind("\n", 0, chosen.start) + 1
                yield Edit(chosen.start, chosen.end, self._inside(chosen, _indent(self.text, line)))
                done = chosen.end

    def _around(self, start: int, end: int) -> _Bracket | None:
        """Return the bracket whose elements all share the line, which holds nothing else."""
        for bracket in self.brackets:
            first, last = bracket.elements[0][0], bracket.elements[-1][1]
            if bracket.is_open and start <= first and last < end and len(bracket.elements) > 1:
                return bracket
        return None

    def _widest(self, start: int, end: int) -> _Bracket | None:
        here = [bracket for bracket in self.brackets if start < bracket.start < end and not bracket.is_open]
        outermost = [b for b in here if not any(o.start < b.start and b.end < o.end for o in here)]
        return max(outermost, key=lambda bracket: bracket.end - bracket.start, default=None)

    def _inside(self, bracket: _Bracket, indent: str) -> str:
        """Return what stands between the marks of an opened bracket."""
        inner = indent + ("\t" if "\t" in indent else "    ")
        first, last = bracket.elements[0][0], bracket.elements[-1][1]
        has_comma = "," in self.text[last : bracket.end]
        body = self.text[first:last]
        may_be_one = not (has_comma or (bracket.is_literal and len(bracket.elements) > 1))
        if may_be_one and not _NEWLINE.search(body) and len(inner) + len(body) <= self.width:
            comma = "," if bracket.is_literal else ""
            return f"{self.newline}{inner}{body}{comma}{self.newline}{indent}"
        commas = "," if bracket.takes_comma else ""
        parts = [self._element(start, end, inner) for start, end in bracket.elements]
        return self.newline + inner + f",{self.newline}{inner}".join(parts) + commas + self.newline + indent

    def _element(self, start: int, end: int, indent: str) -> str:
        """Return an element, opened where it is too long for its line."""
        text = self.text[start:end]
        ends_at = _NEWLINE.search(text)
        if len(indent) + (ends_at.start() if ends_at else len(text) + 1) <= self.width:
            return text
        chosen = self._widest(start, end)
        if chosen is None:
            return text
        return self.text[start : chosen.start] + self._inside(chosen, indent) + self.text[chosen.end : end]


class _Positions:
    """Where the nodes of a text stand, in characters."""

    def __init__(self, text: str) -> None:
        found: Any = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True).resolve_many(_PROVIDERS)
        self.inner, self.outer, self.parents = (found[provider] for provider in _PROVIDERS)
        self.text, self._starts = text, _starts(text)

    def at(self, place: Any) -> int:
        found: int = self._starts[place.line - 1] + place.column
        return found

    def of(self, element: Any) -> tuple[int, int]:
        """Return the characters of an element, without its comma."""
        value = getattr(element, "value", element)
        label = getattr(element, "keyword", None) or getattr(element, "key", None)
        is_unpacked = isinstance(element, cst.StarredElement | cst.StarredDictElement)
        is_starred = is_unpacked or bool(getattr(element, "star", ""))
        start = self.inner[element].start if is_starred else self.outer[label or value].start
        return self.at(start), self.at(self.outer[value].end)

    def inside(self, node: Any) -> tuple[int, int]:
        """Return the characters between the marks of a call or a literal."""
        is_call = isinstance(node, cst.Call)
        mark = self.text.index("(", self.at(self.outer[node.func].end)) if is_call else self.at(self.inner[node].start)
        return mark + 1, self.at(self.inner[node].end) - 1

    def is_in_text(self, node: Any) -> bool:
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, cst.FormattedString):
                return True
        return False


def _brackets(text: str) -> Iterator[_Bracket]:
    """Yield the calls and the literals of lists, dicts and sets that may be opened."""
    positions = _Positions(text)
    for node in positions.inner:
        elements: Any = getattr(node, "args" if isinstance(node, cst.Call) else "elements", ())
        is_one = isinstance(node, cst.Call | cst.List | cst.Dict | cst.Set) and elements
        if not is_one or positions.is_in_text(node):
            continue
        spans = [positions.of(element) for element in elements]
        start, end = positions.inside(node)
        edges = [start, *(edge for each in spans for edge in each), end]
        between = [text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)]
        if any("#" in gap or "\\" in gap for gap in between):
            continue
        is_call = isinstance(node, cst.Call)
        is_generator = is_call and len(spans) == 1 and isinstance(elements[0].value, cst.GeneratorExp)
        is_open = _NEWLINE.search(between[0]) is not None
        yield _Bracket(start, end, spans, not is_call, not is_generator, is_open)
