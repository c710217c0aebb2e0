"""Holes that are names and nothing more: one pattern finds them, one value fills each in.

Rule: what stands in a hole is looked up once, as it is; no value is read again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from .draft import Draft
from .pieces import Piece, write

#: ``{{name}}``, white space in the braces allowed.
DOUBLE: Final = re.compile(r"\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}")
#: Marks of languages that do more than names, where the tool knows names alone.
_MORE: Final = re.compile(r"\{\{\s*[#/^>!&][^{}]*\}\}|\{%.*?%\}|\{\{[^{}]*\|[^{}]*\}\}", re.DOTALL)

Renamed = Callable[[str], str]


def of_names(
    text: str, draft: Draft, place: str, pattern: re.Pattern[str] = DOUBLE, rename: Renamed = lambda name: name
) -> str:
    """Return a text with holes of a pattern as Jinja source: the first group is the name.

    >>> of_names("{{ a }} {b} {{#if}}", Draft("x"), "$.prompt")
    "{{ a }} {b} {{ '{{' }}#if}}"
    """
    pieces, last = [], 0
    for found in pattern.finditer(text):
        name = draft.input_name(rename(found[1]))
        pieces += [Piece("text", text[last : found.start()]), Piece("print", f"{{{{ {name} }}}}")]
        last = found.end()
    if more := _MORE.search(pattern.sub("", text)):
        draft.doubt(f"{place}: {more[0][:40]} is text for this tool, and a tag for others")
    return write([*pieces, Piece("text", text[last:])])


def meaning_of_names(
    text: str, inputs: Mapping[str, Any], pattern: re.Pattern[str] = DOUBLE, rename: Renamed = lambda name: name
) -> str:
    """Return a text with its holes filled in."""
    return pattern.sub(lambda found: str(inputs[rename(found[1])]), text)
