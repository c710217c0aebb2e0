"""promptflow's chat prompts: Jinja whose first line is a role, as ``# system:``.

=====================================  ==================================================
``system:``, ``# system:``             a message; white space around its text is layout
``{% for … %}`` over role lines        the same loop over messages
``## name:`` and ``## content:``       the message's ``name``
``![image]({{x}})``                    ``{% image x %}``: an address, not an object; the lines
                                       around it were parts, and are one text
text before the first role line        no promptflow: such a file is a text
``# tool:``, ``# function:``           refused: results of calls come with a history
``## tool_calls:``                     refused: calls are written by code there
a role line without a line break       text, as there
one behind a tag that ends a line      ambiguous: there the tag takes the line break away
=====================================  ==================================================

Its engine is Jinja with ``trim_blocks``, its roles are read in what was rendered; here they are
read in the author's text, once, so that no data can make one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ...text.marks import place_of
from .draft import Draft
from .jinja import pieces_of, plain_renderer
from .model import Layout, Source
from .pieces import Piece, tree_of, write_messages

_ROLES: Final = "system|user|assistant|function|tool"
#: A role line as ``parse_chat`` finds it: white space in it may be line breaks, and one must follow.
_ROLE: Final = re.compile(rf"^\s*#?\s*({_ROLES})\s*:\s*\n", re.M | re.I)
_FIRST: Final = re.compile(rf"(?:\s*\{{(?:#.*?#|%.*?%)\}})*\s*?{_ROLE.pattern}", re.M | re.I | re.DOTALL)
_NAMED: Final = re.compile(r"\s*#{0,2}\s*name\s*:\s*\n\s*([\w.-]+)\s*#{0,2}\s*content\s*:\s*")
_FIELD: Final = re.compile(
    r"^\s*#{0,2}\s*(?:tool_calls\s*:\s*\n|(?:name|tool_call_id)\s*:\s*\n\s*\S+\s*#{0,2}\s*content\s*:)", re.M
)
_TOOL: Final = re.compile(r"^[ \t]*#?[ \t]*(?:tool|function)[ \t]*:[ \t]*$", re.M | re.I)
_JOINED: Final = re.compile(rf"\S[ \t]*\{{[%#][^\n]*?[%#]\}}\n[ \t]*#?[ \t]*({_ROLES})[ \t]*:[ \t]*\n", re.I)
_IMAGE: Final = re.compile(r"!\[\s*image\s*\]\(\{\{(\s*[^\s{}]+\s*)\}\}\)")
_DIPTYCH: Final = re.compile(r"\{%[-+]?\s*(?:message|chat|system|developer|user|assistant|history|insert)\b")


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a promptflow template. Raises MigrationError."""
    body = source.text
    if not _FIRST.match(body):
        raise draft.refuse("the file does not begin with a role line", "1:1", hint="write a line of system: or user:")
    if found := _TOOL.search(body):
        what = f"{found.group().strip()} cannot be migrated: the result of a call comes with a history"
        raise draft.refuse(what, place_of(body, found.start()), hint="pass a history")
    draft.strips_data = True
    marked = _IMAGE.sub(r"{% image \1 %}", body)
    pieces = list(_with_roles(pieces_of(marked, draft, trim_blocks=True)))
    _check_fields(pieces, draft)
    if sum(piece.kind == "role" for piece in pieces) < len(_ROLE.findall(body)) and (found := _JOINED.search(body)):
        label = f"{found[1]}: at {place_of(body, found.start(1))}"
        draft.doubt(f"{label} is text: promptflow takes away the line break after the tag before it")
    write_messages(tree_of(pieces, draft), draft, first=None, after_history="=")
    if marked == body:
        draft.meaning = _meaning(body)
    else:
        draft.lose("$.messages", "merged", "beside a picture every line is a part there, and one text here")


def _with_roles(pieces: list[Piece]) -> Iterator[Piece]:
    """Yield the pieces with the role lines and pictures of the author's texts as pieces of their own."""
    begins_line = True
    for piece in pieces:
        if piece.kind == "text":
            yield from _parts(piece, begins_line)
            begins_line = not piece.value.rpartition("\n")[2].strip() and (begins_line or "\n" in piece.value)
        else:
            begins_line = begins_line and piece.kind != "print"
            yield piece


def _parts(piece: Piece, begins_line: bool) -> Iterator[Piece]:
    """Split a text at its role lines; what stands before it on its line keeps the first from being one."""
    position = 0
    for found in _ROLE.finditer(piece.value):
        if not begins_line and "\n" not in piece.value[: found.start(1)]:
            continue
        yield piece._replace(value=piece.value[position : found.start()])
        named = _NAMED.match(piece.value, found.end())
        yield Piece("role", found[1].lower(), piece.line, name=named[1] if named else "")
        position = named.end() if named else found.end()
    yield piece._replace(value=piece.value[position:])


def _check_fields(pieces: list[Piece], draft: Draft) -> None:
    """Refuse the fields of a message that are made by code: what ``parse_chat`` reads in a text."""
    shown = "".join(
        "_" if piece.kind == "print" else piece.value for piece in pieces if piece.kind in ("text", "print")
    )
    if found := _FIELD.search(shown):
        name = found.group().strip().partition(":")[0]
        where = re.search(rf"^[ \t]*{re.escape(name)}[ \t]*:", draft.text, re.M)
        place = place_of(draft.text, where.start()) if where else ""
        raise draft.refuse(f"{name}: cannot be migrated: a field of a message is code", place, hint="pass a history")


def _meaning(body: str) -> Any:
    """Return what promptflow makes of a body: rendered as a whole, then split at the role lines."""

    def meaning(inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        parts = _ROLE.split(plain_renderer(body, trim_blocks=True)(inputs))[1:]
        found = []
        for role, text in zip(parts[::2], parts[1::2], strict=True):
            named = _NAMED.match(text)
            found.append((role.lower(), text[named.end() if named else 0 :].strip()))
        return found

    return meaning


def _is_certain(source: Source) -> bool:
    is_jinja = source.name.endswith((".jinja", ".jinja2", ".j2"))
    return is_jinja and _FIRST.match(source.text) is not None and not _DIPTYCH.search(source.text)


LAYOUT: Final = Layout("promptflow", read, _is_certain, rank=70, is_lenient=True, oracle="promptflow-core 1.18.5")
