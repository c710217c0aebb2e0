"""Nunjucks in pieces of Jinja: files of it, and prompts of promptfoo.

Rule: the two languages are much alike; what is the same in both goes through, what differs is
written anew, and all else is refused by name.

=========================================  ===============================================
``{{ a.b[0] }}``, strings, numbers         the same; ``env.X`` is refused: a variable of the
                                           environment
``{% if %} {% elif %} {% elseif %}``       ``{% if %} {% elif %}``
``{% for x in xs %}``, ``{% else %}``      the same; ``loop.index`` and the like, too
``{% set %}``, ``{% raw %}``, comments     the same
``===`` ``!==`` ``&&`` ``||``              ``==`` ``!=`` ``and`` ``or``
``upper lower trim capitalize title``      the same
``first last length join reverse``
``replace default abs round safe``
``xs.length``                              ``(xs|length)``
``dump``                                   ``tojson``: the same value, spelt another way
other filters, tags, calls                 refused
=========================================  ===============================================

A list that is empty is true there, and false here; lists print with commas there.
"""

from __future__ import annotations

import re
from typing import Final

from ...errors import MigrationError
from .draft import Draft
from .holes import ended
from .jinja import pieces_of
from .model import Layout, Source
from .pieces import Piece, write

_STRING: Final = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", re.DOTALL)
_FILTERS: Final = {
    "upper", "lower", "trim", "capitalize", "title", "first", "last", "length", "join", "reverse", "replace",
    "default", "d", "abs", "round", "safe", "dump", "int", "float", "string", "escape", "e",
}  # fmt: skip
_TAGS: Final = {"if", "elif", "elseif", "else", "endif", "for", "endfor", "set", "endset"}
_OPERATORS: Final = (("===", "=="), ("!==", "!="), ("&&", " and "), ("||", " or "))
_FILTER: Final = re.compile(r"\|\s*([A-Za-z_]\w*)")
_CALL: Final = re.compile(r"(?<![|\w.])\s*([A-Za-z_][\w.]*)\s*\(")


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a file: a prompt without messages. Raises MigrationError."""
    draft.prompt(ended(write(pieces_of_nunjucks(source.text, draft, ""))))


def pieces_of_nunjucks(text: str, draft: Draft, place: str) -> list[Piece]:
    """Return the pieces of a template. Raises MigrationError for what is not in the list above.

    >>> [piece.value for piece in pieces_of_nunjucks("{% if a === 'b' %}{{ a | dump }}{% endif %}", Draft("x"), "$")]
    ["{% if a == 'b' %}", '{{ a | tojson }}', '{% endif %}']
    """
    return [_piece(piece, draft, place) for piece in pieces_of(_operators(text), draft)]


def _operators(text: str) -> str:
    """Return a text whose tags have Jinja's operators: its lexer does not know the others."""

    def of_tag(found: re.Match[str]) -> str:
        parts = re.split(f"({_STRING.pattern})", found[0], flags=re.DOTALL)
        for index in range(0, len(parts), 2):
            for theirs, ours in _OPERATORS:
                parts[index] = parts[index].replace(theirs, ours)
            parts[index] = re.sub(r"\b([A-Za-z_][\w.]*)\.length\b", r"(\1|length)", parts[index])
        return re.sub(r"^(\{%-?\s*)elseif\b", r"\1elif", "".join(parts))

    return re.sub(r"\{%.*?%\}|\{\{.*?\}\}", of_tag, text, flags=re.DOTALL)


def _piece(piece: Piece, draft: Draft, place: str) -> Piece:
    if piece.kind == "text" or piece.value.startswith("{#"):
        return piece
    tag = re.match(r"\{%-?\s*(\w+)", piece.value)
    bare = _STRING.sub("''", piece.value)
    named = {*_FILTER.findall(bare)} - _FILTERS
    called = [name for name in _CALL.findall(re.sub(r"\|\s*\w+\s*\(", "|x", bare)) if name not in _TAGS | _WORDS]
    reason = (
        f"the tag {tag[1]!r}" if tag and tag[1] not in _TAGS
        else f"the filter {sorted(named)[0]!r}" if named
        else f"the call of {called[0]!r}" if called
        else "a variable of the environment" if re.search(r"(?<![\w.])env\.", bare)
        else "the loop over keys and values" if re.match(r"\{%-?\s*for\s+\w+\s*,", bare)
        else ""
    )  # fmt: skip
    if reason:
        raise _refused(reason, draft, place)
    value = piece.value
    if re.search(r"\|\s*dump\b", bare):
        draft.lose(place, "substituted", "the same JSON value, its keys sorted and < > & ' escaped")
        value = re.sub(r"\|(\s*)dump\b", r"|\1tojson", value)
    if re.search(r"\|\s*safe\b", bare):
        value = re.sub(r"\s*\|\s*safe\b", "", value)
    return piece._replace(value=value)


_WORDS: Final = {"and", "or", "not", "in", "is"}


def _refused(what: str, draft: Draft, place: str) -> MigrationError:
    hint = "write it in Jinja by hand: its tags are much alike"
    return draft.refuse(f"{what} of Nunjucks is more than a name", place, hint=hint)


LAYOUT: Final = Layout(
    "nunjucks",
    read,
    lambda _: False,
    lambda source: source.name.endswith(".njk"),
    rank=38,
    is_lenient=True,
    oracle="nunjucks 3.2.4",
)
