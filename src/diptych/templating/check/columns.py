"""Parse a body so that every node knows its column, and the tags of a body that does not parse.

Rule: Jinja keeps the line of a token as a number, and nodes take it over. A number that also has a
column goes the same way, so that no rule has to search a line for the word that it complains about.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, Final

import jinja2
from jinja2 import nodes
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

_TAG: Final = re.compile(
    r"\{%[-+]?\s*raw\s*[-+]?%\}.*?(?:\{%[-+]?\s*endraw\s*[-+]?%\}|\Z)|\{#.*?(?:#\}|\Z)"
    r"|(?P<tag>\{%[-+]?\s*(?P<name>\w+)(?:(?!\{[{%#]).)*?%\}|\{\{(?:(?!\{[{%#]).)*?\}\})",
    re.DOTALL,
)
#: What makes a whole of a tag that stands alone: nothing, its end, the ``if`` that it belongs to.
_COMPLETIONS: Final = (("", ""), ("", "{{% end{} %}}"), ("{% if x %}", "{{% endif %}}"))
_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")


class Place(int):
    """The line of a token (1-based), with its column (1-based)."""

    column: int

    @classmethod
    def at(cls, line: int, column: int) -> Place:
        """Return a line that knows its column."""
        place = cls(line)
        place.column = column
        return place


def parse(
    environment: Any, trim: str, body: str, name: str, file: str, *, first: tuple[int, int] = (1, 1)
) -> nodes.Template:
    """Return the syntax tree of a body that begins at line and column ``first``. Raises what Jinja raises."""
    parser = Parser(environment, "", name, file)
    lexer = environment.lexers[trim]
    placed = _placed(lexer.tokeniter(body, name, file), _LINE_BREAK.sub("\n", body), *first)
    parser.stream = TokenStream(lexer.wrap(placed, name, file), name, file)
    return parser.parse()


def _placed(
    tokens: Iterator[tuple[int, str, str]], body: str, line: int, column: int
) -> Iterator[tuple[int, str, str]]:
    """Yield the tokens with places; between two of them nothing but white space is left out."""
    at, start = 0, 1 - column
    for _, kind, value in tokens:
        found = max(at, body.find(value, at))
        if breaks := body.count("\n", at, found):
            line, start = line + breaks, body.rfind("\n", at, found) + 1
        yield Place.at(line, found - start + 1), kind, value
        at = found


def fragments(environment: Any, body: str) -> Iterator[nodes.Template]:
    """Yield the syntax tree of every tag that parses by itself, for a body that does not parse as a whole."""
    breaks = [found.end() for found in _LINE_BREAK.finditer(body)]
    for found in _TAG.finditer(body):
        line = bisect_right(breaks, found.start())
        first = (line + 1, found.start() - (breaks[line - 1] if line else 0) + 1)
        for before, after in _COMPLETIONS if found["tag"] else ():
            text = before + found["tag"] + after.format(found["name"])
            try:
                yield parse(environment, "jinja", text, "", "", first=(first[0], first[1] - len(before)))
                break
            except jinja2.TemplateError:
                continue
