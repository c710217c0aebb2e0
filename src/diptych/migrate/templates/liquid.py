"""Liquid in pieces of Jinja: files of it, and prompts of .NET's Semantic Kernel.

=======================================  ==================================================
``{{ a.b }}`` ``{{ a[0] }}``             the same
``{% for x in xs %}``                    the same
``{% if a %}`` ``{% elsif b %}``         ``{% if a is not none and a is not false %}``: empty
                                         texts, lists and zero are true
``{% unless a %}``                       ``{% if not … %}``
``==`` ``!=`` ``<`` ``>``, ``and``,      the same, but ``and`` beside ``or`` is refused: Liquid
``or``                                   reads them from right to left
``{% assign a = b %}``                   ``{% set a = b %}``
``upcase downcase capitalize strip``     ``upper lower capitalize trim length join default``
``size join default``
``{% comment %}``, ``{% raw %}``         nothing, text
other tags, filters, ``contains``        refused
=======================================  ==================================================
"""

from __future__ import annotations

import re
from typing import Final

from ...errors import MigrationError
from .draft import Draft
from .holes import ended
from .model import Layout, Source
from .pieces import Kind, Piece, write

_TAG: Final = re.compile(
    r"\{%-?\s*comment\s*-?%\}.*?\{%-?\s*endcomment\s*-?%\}|\{%-?\s*raw\s*-?%\}(?P<raw>.*?)\{%-?\s*endraw\s*-?%\}"
    r"|\{%(?P<left>-?)\s*(?P<tag>.*?)\s*(?P<right>-?)%\}|\{\{(?P<pleft>-?)\s*(?P<print>.*?)\s*(?P<pright>-?)\}\}",
    re.DOTALL,
)
_PATH: Final = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[\d+\])*"
_TERM: Final = rf"(?:\"[^\"\\]*\"|'[^'\\]*'|-?\d+(?:\.\d+)?|{_PATH})"
_COMPARED: Final = re.compile(rf"({_TERM})\s*(==|!=|<=|>=|<|>)\s*({_TERM})")
_FILTERS: Final = {
    "upcase": "upper", "downcase": "lower", "capitalize": "capitalize", "strip": "trim", "size": "length",
    "join": "join({0})", "default": "default({0}, true)",
}  # fmt: skip
_WORDS: Final = {"nil": "none", "null": "none", "true": "true", "false": "false"}
_REFUSED: Final = {"blank", "empty"}


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a file: a prompt without messages. Raises MigrationError."""
    draft.prompt(ended(write(pieces_of_liquid(source.text, draft))))


def pieces_of_liquid(text: str, draft: Draft, line: int = 1) -> list[Piece]:
    """Return the pieces of a template. Raises MigrationError for what is not in the list above.

    >>> [piece.value for piece in pieces_of_liquid("{% if a == 'b' %}{{ a | upcase }}{% endif %}", Draft("a"))]
    ['', "{% if a == 'b' %}", '', '{{ a|upper }}', '', '{% endif %}', '']
    """
    pieces: list[Piece] = []
    last = 0
    for found in _TAG.finditer(text):
        at = line + text.count("\n", 0, found.start())
        pieces.append(Piece("text", text[last : found.start()], line + text.count("\n", 0, last)))
        last = found.end()
        if found["raw"] is not None:
            pieces.append(Piece("text", found["raw"], at))
        elif found["print"] is not None:
            code = _printed(found["print"], draft, at)
            pieces.append(Piece("print", f"{{{{{found['pleft']} {code} {found['pright']}}}}}", at))
        elif found["tag"] is not None:
            kind, code = _tag(found["tag"], draft, at)
            pieces.append(Piece(kind, f"{{%{found['left']} {code} {found['right']}%}}", at))
    return [*pieces, Piece("text", text[last:])]


def _refused(what: str, draft: Draft, line: int) -> MigrationError:
    return draft.refuse(f"{what[:40]} is more than simple Liquid", line, hint="rewrite it in Jinja")


def _tag(inner: str, draft: Draft, line: int) -> tuple[Kind, str]:
    word, _, rest = inner.partition(" ")
    rest = rest.strip()
    if word in ("else", "endif", "endfor", "endunless"):
        return ("mid", "else") if word == "else" else ("close", "endfor" if word == "endfor" else "endif")
    if word in ("if", "elsif", "unless"):
        test = _test(rest, draft, line)
        code = f"elif {test}" if word == "elsif" else f"if not ({test})" if word == "unless" else f"if {test}"
        return ("mid" if word == "elsif" else "open"), code
    if word == "for" and (loop := re.fullmatch(rf"([A-Za-z_]\w*)\s+in\s+({_PATH})", rest)):
        return "open", f"for {draft.input_name(loop[1])} in {_path(loop[2], draft)}"
    if word == "assign" and (found := re.fullmatch(r"([A-Za-z_]\w*)\s*=\s*(.+)", rest, re.DOTALL)):
        return "tag", f"set {draft.input_name(found[1])} = {_printed(found[2], draft, line)}"
    raise _refused(f"{{% {inner} %}}", draft, line)


def _test(text: str, draft: Draft, line: int) -> str:
    parts = re.split(r"\s+(and|or)\s+", text)
    if len(set(parts[1::2])) > 1:
        raise _refused(text, draft, line)
    return f" {parts[1] if len(parts) > 1 else ''} ".join(_one(part, draft, line) for part in parts[::2])


def _one(part: str, draft: Draft, line: int) -> str:
    if compared := _COMPARED.fullmatch(part):
        left, right = (_term(compared[index], draft, line) for index in (1, 3))
        return f"{left} {compared[2]} {right}"
    if re.fullmatch(_PATH, part) and part not in _REFUSED:
        path = _path(part, draft)
        return f"({path} is not none and {path} is not false)"
    raise _refused(part, draft, line)


def _term(text: str, draft: Draft, line: int) -> str:
    if text in _REFUSED:
        raise _refused(text, draft, line)
    return _path(text, draft) if re.fullmatch(_PATH, text) else text


def _path(path: str, draft: Draft) -> str:
    if path in _WORDS:
        return _WORDS[path]
    first = re.match(r"\w+", path)
    name = first[0] if first else path
    rest = path[len(name) :].replace("forloop", "loop")
    if name == "forloop":
        return {".index": "loop.index", ".index0": "loop.index0", ".first": "loop.first", ".last": "loop.last"}.get(
            rest, f"loop{rest}"
        )
    return draft.input_name(name) + rest


def _printed(text: str, draft: Draft, line: int) -> str:
    """Return an expression with its filters."""
    value, *filters = re.split(r"\s*\|\s*", text.strip())
    if not re.fullmatch(_TERM, value):
        raise _refused(text, draft, line)
    code = _term(value, draft, line)
    for one in filters:
        name, _, argument = (part.strip() for part in one.partition(":"))
        pattern = _FILTERS.get(name, "")
        if not pattern or bool(argument) != ("{0}" in pattern) or (argument and not re.fullmatch(_TERM, argument)):
            raise _refused(text, draft, line)
        code += f"|{pattern.format(_term(argument, draft, line) if argument else '')}"
    return "''" if code == "none" else code


LAYOUT: Final = Layout(
    "liquid",
    read,
    lambda _: False,
    lambda source: source.name.endswith(".liquid"),
    rank=37,
    is_lenient=True,
    oracle="python-liquid 2.3.6",
)
