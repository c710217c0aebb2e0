"""Markers inside contents: find them, and break them up.

Rule: a special token is broken by a zero-width space after its first character, a
speaker label at the start of a line by one space before it. Both stay readable to a
person, and neither reads as structure.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from .grammar import Grammar
from .labels import framed_names, names_of
from .names import KNOWN, LABELLED

#: Every character at which some reader begins a new line.
LINE_BREAKS = "\n\r\u2028\u2029\u0085\v\f\x1c\x1d\x1e"

#: Characters without width that may stand before a label and still look like a line's start.
_INVISIBLE = "[\ufeff\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069]*"


class Break(NamedTuple):
    """A marker at ``start:end`` of a content, broken up by ``filler`` at ``position``."""

    position: int
    filler: str
    start: int
    end: int


@lru_cache(maxsize=64)
def _marker_pattern(markers: tuple[str, ...]) -> re.Pattern[str] | None:
    return re.compile("|".join(sorted(map(re.escape, markers), key=len, reverse=True))) if markers else None


@lru_cache(maxsize=64)
def _label_pattern(labels: tuple[str, ...], end: str) -> re.Pattern[str] | None:
    if not labels:
        return None
    words = "|".join(sorted(map(re.escape, labels), key=len, reverse=True))
    return re.compile(rf"(?:^|(?<=[{LINE_BREAKS}]))(?={_INVISIBLE}((?:{words})[ \t]*{re.escape(end)}))", re.IGNORECASE)


def find(grammar: Grammar, text: str, *, at_line_start: bool) -> list[Break]:
    """Return every break that ``text`` needs, by position.

    ``at_line_start`` says whether the text begins a line of the prompt.
    """
    breaks: list[Break] = []
    if pattern := _marker_pattern(grammar.markers):
        breaks += [Break(m.start() + 1, "\u200b", m.start(), m.end()) for m in pattern.finditer(text)]
    if pattern := _label_pattern(tuple(grammar.labels), grammar.label_ends):
        for m in pattern.finditer(text):
            if m.start() > 0 or at_line_start:
                breaks.append(Break(m.start(), " ", max(0, m.start() - 1), m.end(1)))
    if grammar.name in LABELLED:
        breaks += _names_in(text, {one.position for one in breaks}, at_line_start=at_line_start)
    return sorted(breaks)


def _names_in(text: str, known: set[int], *, at_line_start: bool) -> list[Break]:
    """Return the breaks before speakers' names in whichever frame a reader of labels knows."""
    found = [one for one in (*names_of(text), *chain(*framed_names(text))) if one.name in KNOWN]
    starts = {one.start: one.end for one in found if one.start not in known and (one.start or at_line_start)}
    return [Break(start, " ", max(0, start - 1), end) for start, end in starts.items()]


def holds_marker(grammar: Grammar, text: str) -> bool:
    """Return whether a content holds a special token of the format."""
    pattern = _marker_pattern(grammar.markers)
    return pattern is not None and pattern.search(text) is not None


def insert(text: str, breaks: list[tuple[int, str]]) -> str:
    """Return the text with the fillers put in."""
    pieces, last = [], 0
    for position, filler in breaks:
        pieces += [text[last:position], filler]
        last = position
    return "".join([*pieces, text[last:]])
