"""Mustache in pieces of Jinja, its sections too.

Rule: what a section does depends on its value, so what is written asks for it: a list is looped
over, another value that is true is rendered once. A name is looked up in the sections from the
inside out, then among the inputs; what is not found prints nothing.

==========================  ===========================================================
``{{x}}`` ``{{{x}}}``       ``{{ x }}``, not escaped
``{{&x}}``
``{{a.b}}`` ``{{.}}``       a path, the item of the section
``{{#x}} … {{/x}}``         a loop over the list, or over the value alone
``{{^x}} … {{/x}}``         ``{% if not x %}``
``{{! note }}``             nothing
a tag alone on its line     takes the line with it
partials, delimiters        refused
==========================  ===========================================================

Source: the specification, compared with mustache.js.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ...errors import MigrationError
from .draft import Draft
from .paths import step
from .pieces import Piece

_TAG: Final = re.compile(
    r"\{\{\{\s*(?P<raw>[^{}]+?)\s*\}\}\}|\{\{(?P<sign>[#^/!>=&]?)\s*(?P<name>.*?)\s*\}\}", re.DOTALL
)
_PATH: Final = re.compile(r"[^\W\d][\w-]*(?:\.[^\W\d][\w-]*)*|\.")


def pieces_of_mustache(text: str, draft: Draft, line: int = 1) -> list[Piece]:
    """Return the pieces of a template. Raises MigrationError for a partial, or a section that is not closed.

    >>> [piece.value for piece in pieces_of_mustache("{{#a}}{{.}}{{/a}}", Draft("x"))][3]
    '{{ section1 }}'
    """
    return list(_Reader(text, draft, line).pieces())


class _Reader:
    def __init__(self, text: str, draft: Draft, line: int) -> None:
        self.text, self.draft, self.line = text, draft, line
        #: Names of open sections, and what they are called here: empty for an inverted one.
        self.open: list[tuple[str, str]] = []
        self.last = 0

    def pieces(self) -> Iterator[Piece]:
        for found in _TAG.finditer(self.text):
            at = self.line + self.text.count("\n", 0, found.start())
            start, end = self._span(found)
            yield Piece("text", self.text[self.last : start], at)
            self.last = end
            yield from self._tag(found, at)
        yield Piece("text", self.text[self.last :])
        if self.open:
            raise self.draft.refuse(f"the section {self.open[-1][0]!r} is not closed", self.line)

    def _span(self, found: re.Match[str]) -> tuple[int, int]:
        """Return where a tag begins and ends: with its line, where it stands alone there."""
        if found["raw"] is not None or found["sign"] in ("", "&"):
            return found.span()
        begin = self.text.rfind("\n", 0, found.start()) + 1
        after = re.compile(r"[ \t]*(?:\n|\Z)").match(self.text, found.end())
        is_alone = after is not None and not self.text[begin : found.start()].strip(" \t") and begin >= self.last
        return (begin, after.end()) if is_alone and after else found.span()

    def _tag(self, found: re.Match[str], line: int) -> Iterator[Piece]:
        sign, name = (found["sign"], found["name"]) if found["raw"] is None else ("", found["raw"])
        if sign == "!":
            return
        if sign in (">", "=") or not _PATH.fullmatch(name):
            raise self._refused(found[0], line)
        if sign == "/":
            yield self._close(name, found[0], line)
        elif sign == "^":
            self.open.append((name, ""))
            yield Piece("open", f"{{% if not {self._value(name)} %}}", line)
        elif sign == "#":
            value = self._value(name)
            item = f"section{sum(bool(inner) for _, inner in self.open) + 1}"
            listed = f"{value} is sequence and {value} is not string and {value} is not mapping"
            self.open.append((name, item))
            yield Piece("open", f"{{% for {item} in ({value} if {listed} else [{value}] if {value} else []) %}}", line)
        else:
            yield Piece("print", f"{{{{ {self._shown(name)} }}}}", line)

    def _close(self, name: str, shown: str, line: int) -> Piece:
        if not self.open or self.open[-1][0] != name:
            raise self._refused(shown, line)
        return Piece("close", "{% endfor %}" if self.open.pop()[1] else "{% endif %}", line)

    def _items(self) -> list[str]:
        return [item for _, item in reversed(self.open) if item]

    def _value(self, name: str) -> str:
        """Return what a section asks about: a name that is missing is none."""
        value = self._looked_up(name)
        if re.fullmatch(r"\w+", value) and value in self.draft.names.values():
            if value not in self.draft.inputs:
                self.draft.lose(f"$.inputs.{name}", "defaulted", "a section of a name that is not given writes nothing")
                self.draft.add_input(name, {}, default=None)
            return value
        return value if value in self._items() else f"({value}|default(none))"

    def _shown(self, name: str) -> str:
        value = self._looked_up(name)
        return value if value in self._items() else f"{value}|default('')"

    def _looked_up(self, name: str) -> str:
        items = self._items()
        if name == ".":
            if not items:
                raise self.draft.refuse("all inputs at once are no value here", self.line)
            return items[0]
        first, *rest = name.split(".")
        value = self.draft.input_name(first)
        if items and value not in self.draft.inputs:
            self.draft.lose(
                f"$.inputs.{first}", "defaulted", "a name may stand in an item: what is not found writes nothing"
            )
            self.draft.add_input(first, {}, default="")
        for item in reversed(items):
            value = f"({step(item, first)} if {item} is mapping and {first!r} in {item} else {value})"
        for segment in rest:
            value = step(f"({value}|default({{}}, true))", segment)
        return value

    def _refused(self, shown: str, line: int) -> MigrationError:
        return self.draft.refuse(
            f"{shown[:40]} is more than Mustache's names and sections", line, hint="write it in Jinja"
        )
