"""The template language of Semantic Kernel, as pieces of Jinja.

=============================  ======================================================
``{{$name}}`` ``{{ $name }}``  ``{{ name }}``
``{{'text'}}`` ``{{"text"}}``  the text
``{{}}``                       itself
``{{Plugin.Function $x}}``     an input that the caller computes: it stood for the result
                               of code
=============================  ======================================================

Source: the tokenizers of its Python package, 1.45.
"""

from __future__ import annotations

import re
from typing import Final

from ...text.marks import place_of
from .draft import Draft
from .pieces import Piece

#: A block: quoted values in it may hold braces, and the last ``{{`` before its end begins it.
_BLOCK: Final = re.compile(
    r"""\{\{((?:[^{}"']|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\}(?!\})|\{(?!\{))*)\}\}""", re.DOTALL
)
_VARIABLE: Final = re.compile(r"\$([0-9A-Za-z_]+)(?=\s|\Z)")
_VALUE: Final = re.compile(r"""("(?:\\["'\\]|[^"])*"|'(?:\\["'\\]|[^'])*')(?=\s|\Z)""", re.DOTALL)
_FUNCTION: Final = re.compile(r"([0-9A-Za-z_]+(?:\.[0-9A-Za-z_]+)?)(?=\s|\Z)")


def pieces_of_kernel(text: str, draft: Draft, line: int = 1) -> list[Piece]:
    """Return the pieces of a template. Raises MigrationError for a block that is none of the above.

    >>> [piece.value for piece in pieces_of_kernel("Hi {{ $name }}{{'!'}}", Draft("a"))]
    ['Hi ', '{{ name }}', '', '!', '']
    """
    pieces: list[Piece] = []
    last = 0
    for found in _BLOCK.finditer(text):
        at = line + text.count("\n", 0, found.start())
        pieces.append(Piece("text", text[last : found.start()], line + text.count("\n", 0, last)))
        pieces.append(_block(found, draft, at))
        last = found.end()
    return [*pieces, Piece("text", text[last:])]


def _block(found: re.Match[str], draft: Draft, line: int) -> Piece:
    inner = found[1].strip()
    if not inner:
        return Piece("text", found[0], line)
    if variable := _VARIABLE.match(inner):
        return Piece("print", f"{{{{ {draft.input_name(variable[1])} }}}}", line)
    if value := _VALUE.match(inner):
        return Piece("text", re.sub(r"\\([\"'\\])", r"\1", value[1][1:-1]), line)
    if function := _FUNCTION.match(inner):
        name = draft.input_name(function[1].replace(".", "_"))
        shown = inner if len(inner) <= 60 else f"{inner[:59]}…"
        draft.lose(f"line {line}", "substituted", f"{shown} calls code: give its result as the input {name}")
        return Piece("print", f"{{{{ {name} }}}}", line)
    at = place_of(draft.text, draft.text.find(found[0])) if found[0] in draft.text else line
    raise draft.refuse(f"{found[0][:40]} is no block of Semantic Kernel", at, hint="write {{$name}}")


def kernel_meaning(text: str, values: dict[str, str]) -> str:
    """Return what the kernel makes of a template of variables and values alone."""

    def shown(found: re.Match[str]) -> str:
        inner = found[1].strip()
        if variable := _VARIABLE.match(inner):
            return values.get(variable[1], "")
        if value := _VALUE.match(inner):
            return re.sub(r"\\([\"'\\])", r"\1", value[1][1:-1])
        if function := _FUNCTION.match(inner):
            return values[function[1].replace(".", "_")]
        return found[0]

    return _BLOCK.sub(shown, text)
