"""Mustache in pieces of Jinja, its sections too, and what it means without Jinja.

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

LangChain and Prompty render with chevron, or a copy of it: an item that is false writes nothing there.

Source: the specification, compared with mustache.js, chevron and LangChain's copy of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from ...errors import MigrationError
from .draft import Draft
from .paths import step
from .pieces import Piece

_TAG: Final = re.compile(
    r"\{\{\{\s*(?P<raw>[^{}]+?)\s*\}\}\}|\{\{(?P<sign>[#^/!>=&]?)\s*(?P<name>.*?)\s*\}\}", re.DOTALL
)
_PATH: Final = re.compile(r"[^\W\d][\w-]*(?:\.[^\W\d][\w-]*)*|\.")


class _Token(NamedTuple):
    """A text (its sign is ``text``) or a tag, as it is written and its line."""

    sign: str
    name: str
    shown: str
    line: int


def _tokens(text: str, line: int) -> Iterator[_Token]:
    last = 0
    for found in _TAG.finditer(text):
        at = line + text.count("\n", 0, found.start())
        start, end = _span(text, found, last)
        yield _Token("text", text[last:start], "", at)
        last = end
        sign, name = ("&", found["raw"]) if found["raw"] else (found["sign"], found["name"])
        yield _Token(sign, name, found[0], at)
    yield _Token("text", text[last:], "", line + text.count("\n", 0, last))


def _span(text: str, found: re.Match[str], last: int) -> tuple[int, int]:
    """Return where a tag begins and ends: with its line, where it stands alone there."""
    if found["raw"] is not None or found["sign"] in ("", "&"):
        return found.span()
    begin = text.rfind("\n", 0, found.start()) + 1
    after = re.compile(r"[ \t]*(?:\n|\Z)").match(text, found.end())
    is_alone = after is not None and not text[begin : found.start()].strip(" \t") and begin >= last
    return (begin, after.end()) if is_alone and after else found.span()


def pieces_of_mustache(text: str, draft: Draft, place: int | str = 1, *, is_chevron: bool = False) -> list[Piece]:
    """Return the pieces of a template that begins at a line, or is a value at a path.

    ``is_chevron`` says that chevron renders it, and that the inputs are declared.

    Raises MigrationError for a partial, or a section that is not closed.

    >>> [piece.value for piece in pieces_of_mustache("{{#a}}{{.}}{{/a}}", Draft("x"))][3]
    '{{ section1 }}'
    """
    return list(_Reader(draft, place, is_chevron).pieces(text))


class _Reader:
    def __init__(self, draft: Draft, place: int | str, is_chevron: bool) -> None:
        self.draft, self.place, self.is_chevron = draft, place, is_chevron
        #: Names of open sections, and what they are called here: empty for an inverted one.
        self.open: list[tuple[str, str]] = []

    def pieces(self, text: str) -> Iterator[Piece]:
        first = self.place if isinstance(self.place, int) else 1
        for token in _tokens(text, first):
            yield from self._piece(token)
        if self.open:
            raise self.draft.refuse(f"the section {self.open[-1][0]!r} is not closed", self.place)

    def _piece(self, token: _Token) -> Iterator[Piece]:
        sign, name, line = token.sign, token.name, token.line
        if sign == "text":
            yield Piece("text", name, line)
        elif sign == "!":
            return
        elif sign in (">", "=") or not _PATH.fullmatch(name):
            raise self._refused(token)
        elif sign == "/":
            yield self._close(token)
        elif sign == "^":
            self.open.append((name, ""))
            yield Piece("open", f"{{% if not {self._value(name)} %}}", line)
        elif sign == "#":
            yield Piece("open", self._loop(name), line)
        else:
            if not sign:
                where = self.place if isinstance(self.place, str) else "$.template"
                self.draft.lose(where, "substituted", "values were escaped for HTML; here they are not")
            yield Piece("print", f"{{{{ {self._shown(name)} }}}}", line)

    def _loop(self, name: str) -> str:
        value = self._value(name)
        item = f"section{sum(bool(inner) for _, inner in self.open) + 1}"
        self.open.append((name, item))
        listed = f"{value} is sequence and {value} is not string and {value} is not mapping"
        condition = f" if {item}" if self.is_chevron else ""
        return f"{{% for {item} in ({value} if {listed} else [{value}] if {value} else []){condition} %}}"

    def _close(self, token: _Token) -> Piece:
        if not self.open or self.open[-1][0] != token.name:
            raise self._refused(token)
        return Piece("close", "{% endfor %}" if self.open.pop()[1] else "{% endif %}", token.line)

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
        is_plain = value in self._items() or (self.is_chevron and not self.open)
        return value if is_plain else f"{value}|default('')"

    def _looked_up(self, name: str) -> str:
        items = self._items()
        if name == ".":
            if not items:
                raise self.draft.refuse("all inputs at once are no value here", self.place)
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
            is_given = self.is_chevron and not self.open
            value = step(value if is_given else f"({value}|default({{}}, true))", segment)
        return value

    def _refused(self, token: _Token) -> MigrationError:
        place = self.place if isinstance(self.place, str) else token.line
        return self.draft.refuse(
            f"{token.shown[:40]} is more than Mustache's names and sections", place, hint="write it in Jinja"
        )


# what it means ---------------------------------------------------------------------------------


def mustache_meaning(text: str, inputs: Mapping[str, Any], *, is_chevron: bool = True) -> str:
    """Return what Mustache makes of a text, HTML escaping off.

    Raises LookupError where ``is_chevron`` and a name outside of every section is not given.

    >>> mustache_meaning("{{#xs}}{{.}}{{y}} {{/xs}}", {"xs": ["a", "", "b"], "y": "!"})
    'a! b! '
    """
    return _Renderer(is_chevron).text(list(_tokens(text, 1)), [inputs])


class _Renderer:
    def __init__(self, is_chevron: bool) -> None:
        self.is_chevron = is_chevron

    def text(self, tokens: list[_Token], scopes: list[Any]) -> str:
        """Render tokens; the innermost scope stands last."""
        written: list[str] = []
        at = 0
        while at < len(tokens):
            token = tokens[at]
            at += 1
            if token.sign in ("#", "^"):
                end = _end_of(tokens, at)
                written += self._section(token, tokens[at:end], scopes)
                at = end + 1
            elif token.sign == "text":
                written.append(token.name)
            elif token.sign != "!":
                value = self._found(token.name, scopes)
                written.append("" if value is None else str(value))
        return "".join(written)

    def _section(self, token: _Token, inside: list[_Token], scopes: list[Any]) -> list[str]:
        value = self._found(token.name, scopes, is_asked=True)
        if token.sign == "^":
            return [] if value else [self.text(inside, [*scopes, None])]
        items = value if isinstance(value, list) else [value] if value else []
        return [self.text(inside, [*scopes, item]) for item in items if item or not self.is_chevron]

    def _found(self, name: str, scopes: list[Any], *, is_asked: bool = False) -> Any:
        if name == ".":
            return next(scope for scope in reversed(scopes) if scope is not None)
        first, *rest = name.split(".")
        holder = next((scope for scope in reversed(scopes) if isinstance(scope, Mapping) and first in scope), {})
        if not holder and self.is_chevron and len(scopes) == 1 and not is_asked:
            raise LookupError(name)
        value = holder.get(first)
        for segment in rest:
            value = value.get(segment) if isinstance(value, Mapping) else None
        return value


def _end_of(tokens: list[_Token], at: int) -> int:
    """Return where the section ends that begins before ``at``."""
    depth = 1
    for index in range(at, len(tokens)):
        depth += (tokens[index].sign in ("#", "^")) - (tokens[index].sign == "/")
        if not depth:
            return index
    raise ValueError("a section is not closed")
