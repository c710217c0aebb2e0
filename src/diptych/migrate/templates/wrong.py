"""What is wrong with a body, in words of a reader's own file: no message of a parser leaves here.

Rule: a parser speaks of the text that it was given, which is the migrated one. What it says is
put in other words, and the tag that it stopped at is looked up in the file, for its place.
"""

from __future__ import annotations

import re
from typing import Final

import jinja2

from ...errors import MigrationError
from ...text.marks import place_of
from .draft import Draft

_MARK: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{\{|\{%|\{#", re.DOTALL)
#: What some Jinja tags of other tools would need.
_REASONS: Final = {
    "include": "it loads another template",
    "import": "it loads another template",
    "extends": "it loads another template",
    "generate": "it calls a model",
    "completion": "it calls a model",
    "now": "it reads the clock",
    "insert": "it places messages by an expression",
}
#: What Jinja's parser says, and what it means.
_MEANINGS: Final = (
    (r"unexpected char (.+?) at \d+", r"{0} has no meaning inside of a tag"),
    (r"unexpected '(.+)'", r"'{0}' closes nothing"),
    (r"expected token '(.+?)', got '(.+)'", r"{1} stands where {0} should stand"),
    (r"expected an expression", r"an expression is missing"),
    (r"tag name expected", r"a tag has no name"),
    (r"missing end of comment", r"a comment is not closed"),
    (r"missing end of raw", r"{{% raw %}} is not closed"),
    (r"innermost block that needs to be closed is '(\w+)'", r"the block '{0}' is not closed"),
    (r"block '?(\w+)'? defined twice", r"the block '{0}' is defined twice"),
    (r"assign to '?(\w+)'?", r"nothing can be assigned to {0}"),
)


def syntax_refusal(error: jinja2.TemplateSyntaxError, body: str, draft: Draft) -> MigrationError:
    """Return the refusal of a body that Jinja does not parse, with the place in the file."""
    message = error.message or ""
    unknown = re.search(r"unknown tag '(\w+)'", message)
    block = re.search(r"innermost block that needs to be closed is '(\w+)'", message)
    if unknown and not unknown[1].startswith("end"):
        why = _REASONS.get(unknown[1], "Diptych has no such tag")
        return draft.refuse(f"the tag {unknown[1]!r} cannot be migrated: {why}", place_of_tag(draft, unknown[1]))
    if unknown and not block:
        return draft.refuse(f"the body is no Jinja: {unknown[1]!r} closes nothing", place_of_tag(draft, unknown[1]))
    if unknown and block:
        what = f"the block {block[1]!r} stands across the border of a message or of another block"
        return draft.refuse(f"the body is no Jinja: {what}", place_of_tag(draft, block[1]))
    place = place_of_tag(draft, block[1]) if block else _place_in(draft, _stopped_at(body, error.lineno))
    return draft.refuse(f"the body is no Jinja that Diptych reads: {_meaning(message)}", place)


def _meaning(message: str) -> str:
    for pattern, meaning in _MEANINGS:
        if found := re.search(pattern, message, re.IGNORECASE):
            return meaning.format(*found.groups())
    return "it does not parse"


def _stopped_at(body: str, line: int) -> str:
    """Return the tag of a body that the parser stopped at: the first on its line that does not parse alone."""
    marks = [found for found in _MARK.finditer(body) if _lines(body, found)[0] <= line <= _lines(body, found)[1]]
    alone = jinja2.Environment(autoescape=False)  # noqa: S701 - it only parses
    for found in marks:
        try:
            alone.parse(found.group())
        except (jinja2.TemplateSyntaxError, RecursionError, MemoryError, OverflowError):
            return found.group()
    return marks[0].group() if marks else ""


def _lines(body: str, found: re.Match[str]) -> tuple[int, int]:
    first = body.count("\n", 0, found.start()) + 1
    return first, first + found.group().count("\n")


def _place_in(draft: Draft, tag: str) -> str:
    """Return where a tag of the migrated body stands in the file, empty where it is not found."""
    inner = tag[2:-2].strip("+- \t\n") if len(tag) > 3 else ""
    found = re.search(rf"{re.escape(tag[:2])}[-+]?\s*{re.escape(inner)}", draft.text) if tag else None
    return place_of(draft.text, found.start()) if found else ""


def place_of_tag(draft: Draft, name: str) -> str:
    """Return where the last tag of a name stands in the file, empty where none does."""
    return place_of_last(draft, rf"\{{%[-+]?\s*{re.escape(name)}\b")


def place_of_last(draft: Draft, pattern: str) -> str:
    """Return where the last match of a pattern stands in the file, empty where there is none."""
    found = list(re.finditer(pattern, draft.text))
    return place_of(draft.text, found[-1].start()) if found else ""


def brace_at(text: str) -> str:
    """Return the place of the first brace of ``str.format`` that is not matched, as ``line:column``.

    >>> brace_at("a {b} {{}} }"), brace_at("a {b")
    ('1:12', '1:3')
    """
    opened: list[int] = []
    for found in re.finditer(r"\{\{|\}\}|\{|\}", text):
        at, brace = found.start(), found.group()
        if brace in ("{{", "}}") and not opened:
            continue
        for offset, sign in enumerate(brace):
            if sign == "{":
                opened.append(at + offset)
            elif opened:
                opened.pop()
            else:
                return place_of(text, at + offset)
    return place_of(text, opened[0] if opened else 0)
