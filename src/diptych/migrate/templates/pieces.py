"""A body in pieces: text, printed values, tags, and where messages begin; then one template.

Rule: white space means what it meant. ``trim: blocks`` takes the line break after a tag and the blanks
before one away; a ``+`` in the tag keeps those that the other engine keeps. A message never
begins inside a text: a block that holds messages holds whole ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from .draft import Draft

Kind = Literal["text", "print", "tag", "open", "mid", "close", "role", "history"]
_OBEYED: Final = re.compile(r"\{\{|\{%|\{#|\r")


class Piece(NamedTuple):
    """One piece. ``text`` is literal; ``print`` and the tags are Jinja; a role or history is a name.

    ``is_native`` says that a tag stands alone on its line, and takes the line with it in both
    engines.
    """

    kind: Kind
    value: str
    line: int = 0
    is_native: bool = False
    #: The participant of a role.
    name: str = ""


def literal(text: str, *, before_code: bool = False) -> str:
    """Return a text as Jinja source that writes it.

    >>> literal("50 {% off"), literal("a {", before_code=True)
    ("50 {{ '{%' }} off", "a {{ '{' }}")
    """
    written = _OBEYED.sub(lambda found: f"{{{{ {found.group()!r} }}}}", text)
    if before_code and written.endswith("{"):
        written = written[:-1] + "{{ '{' }}"
    return written


def write(pieces: Sequence[Piece]) -> str:
    """Return pieces of one text as Jinja source for ``trim: blocks``.

    >>> write([Piece("open", "{% if x %}"), Piece("text", "\\n  "), Piece("close", "{% endif %}")])
    '{% if x +%}\\n  {%+ endif %}'
    """
    pieces = _joined(pieces)
    written: list[str] = []
    line = ""
    for index, piece in enumerate(pieces):
        following = pieces[index + 1] if index + 1 < len(pieces) else None
        if piece.kind == "text":
            value = literal(piece.value, before_code=following is not None and following.kind != "text")
        elif piece.kind == "print" or piece.is_native:
            value = piece.value
        else:
            value = _kept(piece.value, line, following)
        written.append(value)
        line = value.rpartition("\n")[2] if "\n" in value else line + value
    return "".join(written)


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    """Join neighbouring texts: two braces that meet are one mark of Jinja."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and piece.kind == joined[-1].kind == "text":
            joined[-1] = joined[-1]._replace(value=joined[-1].value + piece.value)
        elif piece.value:
            joined.append(piece)
    return joined


def _kept(tag: str, line: str, following: Piece | None) -> str:
    """Return a tag that keeps the blanks before it and the line break after it."""
    if line and not line.strip() and tag[2] not in "+-":
        tag = f"{tag[:2]}+{tag[2:]}"
    if following is not None and following.kind == "text" and following.value.startswith("\n") and tag[-3] not in "+-":
        tag = f"{tag[:-2]}+{tag[-2:]}"
    return tag


# messages ----------------------------------------------------------------------------------


class Block(NamedTuple):
    """A block with its branches: opening tags and what stands in each, and the closing tag."""

    branches: list[tuple[Piece, list[Node]]]
    close: Piece


Node = Piece | Block


def tree_of(pieces: Sequence[Piece], draft: Draft) -> list[Node]:
    """Return the pieces with their blocks nested. Raises MigrationError for one that is not closed."""
    root: list[Node] = []
    stack: list[tuple[list[Node], list[tuple[Piece, list[Node]]]]] = []
    inside = root
    for piece in pieces:
        if piece.kind == "open":
            branches: list[tuple[Piece, list[Node]]] = [(piece, [])]
            stack.append((inside, branches))
            inside = branches[0][1]
        elif piece.kind == "mid" and stack:
            stack[-1][1].append((piece, []))
            inside = stack[-1][1][-1][1]
        elif piece.kind == "close" and stack:
            inside, branches = stack.pop()
            inside.append(Block(branches, piece))
        elif piece.kind in ("mid", "close"):
            raise draft.refuse(f"{piece.value} closes nothing", piece.line)
        else:
            inside.append(piece)
    if stack:
        opened = stack[-1][1][0][0]
        raise draft.refuse(f"the block {opened.value!r} is not closed", opened.line)
    return root


def has_messages(nodes: Sequence[Node]) -> bool:
    """True where a message or a history begins among the nodes or in a block of them."""
    return any(
        any(has_messages(inside) for _, inside in node.branches)
        if isinstance(node, Block)
        else node.kind in ("role", "history")
        for node in nodes
    )


def write_messages(
    nodes: Sequence[Node], draft: Draft, *, first: str | None, after_history: str, keep_empty: bool = True
) -> None:
    """Write messages into the draft.

    ``first`` is the role of text before the first one, None where there may be none;
    ``after_history`` that of text behind a history, ``=`` for the role before it. ``keep_empty``
    keeps messages without text.
    """
    role, name, is_begun = first, "", False
    buffer: list[Node] = []
    for node in nodes:
        if isinstance(node, Block) and has_messages([node]):
            _flush(buffer, role, name, is_begun and keep_empty, draft)
            for tag, inside in node.branches:
                draft.raw(tag.value + "\n")
                write_messages(inside, draft, first=None, after_history=after_history, keep_empty=keep_empty)
            draft.raw(node.close.value + "\n")
            role, name, is_begun = None, "", False
        elif isinstance(node, Piece) and node.kind == "role":
            _flush(buffer, role, name, is_begun and keep_empty, draft)
            role, name, is_begun = draft.role(node.value, node.line), node.name, True
        elif isinstance(node, Piece) and node.kind == "history":
            _flush(buffer, role, name, False, draft)
            draft.history(node.value)
            role, is_begun = role if after_history == "=" else after_history, False
        else:
            buffer.append(node)
    _flush(buffer, role, name, is_begun and keep_empty, draft)


def _flush(buffer: list[Node], role: str | None, name: str, keep: bool, draft: Draft) -> None:
    """Write what stands in the buffer as a message, or between messages where it writes nothing."""
    said = [piece for node in buffer if not _is_silent(node) for piece in flat(node)]
    pieces = [piece for node in buffer for piece in flat(node)]
    said_nodes = list(buffer)
    definitions = [
        node for node in buffer if _is_silent(node) and not (isinstance(node, Piece) and node.kind == "text")
    ]
    buffer.clear()
    if said and role is None:
        raise draft.refuse("text beside a block of messages belongs to none of them", said[0].line)
    if said or keep:
        pieces = _joined(_stripped(said_nodes) if draft.strips_data else pieces)
        if draft.tells_trim and (is_trimmed(said_nodes) or _trimmed(pieces) != pieces):
            draft.lose("$.messages", "trimmed", "line breaks at the ends of a message are layout")
        draft.message(role or "user", write(_trimmed(pieces)), name)
        return
    for node in definitions:
        if not (isinstance(node, Piece) and node.value.startswith("{#")):
            draft.raw(write(flat(node)) + "\n")


def _is_silent(node: Node) -> bool:
    """True for white space, and for tags that define something and write nothing."""
    if isinstance(node, Block):
        return re.match(r"\{%[-+]?\s*(macro|set)\b", node.branches[0][0].value) is not None
    if node.kind == "tag":
        return re.match(r"\{#|\{%[-+]?\s*(set|do|import|from)\b", node.value) is not None
    return node.kind == "text" and not node.value.strip()


def flat(node: Node) -> list[Piece]:
    """Return the pieces of a node in order."""
    if isinstance(node, Piece):
        return [node]
    pieces = []
    for tag, inside in node.branches:
        pieces += [tag, *(piece for child in inside for piece in flat(child))]
    return [*pieces, node.close]


def is_trimmed(nodes: Sequence[Node]) -> bool:
    """True where the author's line breaks may stand at an end of a message: they are layout there, and go."""
    pieces = [piece for node in nodes for piece in flat(node)]
    is_broken = _begins_broken(nodes) or _begins_broken(nodes, backwards=True)
    return bool(is_broken) or _has_breaks_beside_parts(pieces)


def _has_breaks_beside_parts(pieces: list[Piece]) -> bool:
    """True where a line break stands beside a picture or file: it goes, as at the ends of a message."""
    pairs = list(pairwise(pieces))
    return any(is_part(b) and a.kind == "text" and a.value.endswith("\n") for a, b in pairs) or any(
        is_part(a) and b.kind == "text" and b.value.startswith("\n") for a, b in pairs
    )


def is_part(piece: Piece) -> bool:
    """True for a tag that makes a part of a message."""
    return piece.kind == "tag" and re.match(r"\{%[-+]?\s*(image|audio|file)\b", piece.value) is not None


def _begins_broken(nodes: Sequence[Node], *, backwards: bool = False) -> bool | None:
    """True where what is written may begin (``backwards``: end) with the author's line break, None for nothing."""
    for node in reversed(nodes) if backwards else nodes:
        found: set[bool | None] = {None}
        if isinstance(node, Block):
            if not _is_silent(node):
                found = {_begins_broken(inside, backwards=backwards) for _, inside in node.branches}
                found |= set() if _is_whole(node) else {None}
        elif node.kind == "text":
            found = {node.value.endswith("\n") if backwards else node.value.startswith("\n")} if node.value else found
        elif not _is_silent(node):
            return False
        if None not in found or True in found:
            return True in found
    return None


def _is_whole(block: Block) -> bool:
    """True for a condition one of whose branches is always taken."""
    opened, last = block.branches[0][0].value, block.branches[-1][0].value
    return re.match(r"\{%[-+]?\s*if\b", opened) is not None and re.match(r"\{%[-+]?\s*else\b", last) is not None


def _stripped(nodes: list[Node]) -> list[Piece]:
    """Return the pieces of a message with the author's white space at both ends taken away."""
    nodes = _without_end(nodes, last=False)
    return [piece for node in _without_end(nodes, last=True) for piece in flat(node)]


def _without_end(nodes: list[Node], *, last: bool) -> list[Node]:
    """Take white space off one end, in the branches of a condition there, too; a loop's is between its items."""
    for index in reversed(range(len(nodes))) if last else range(len(nodes)):
        node = nodes[index]
        if isinstance(node, Block):
            if re.match(r"\{%[-+]?\s*if\b", node.branches[0][0].value):
                branches = [(tag, _without_end(inside, last=last)) for tag, inside in node.branches]
                return [*nodes[:index], Block(branches, node.close), *nodes[index + 1 :]]
            return nodes
        if node.kind == "text":
            value = node.value.rstrip() if last else node.value.lstrip()
            nodes = [*nodes[:index], node._replace(value=value), *nodes[index + 1 :]]
            if value:
                return nodes
        elif not _is_silent(node):
            return nodes
    return nodes


def _trimmed(pieces: list[Piece]) -> list[Piece]:
    """Take the line breaks at both ends away: they are layout in a message."""
    if pieces and pieces[0].kind == "text":
        pieces = [pieces[0]._replace(value=pieces[0].value.lstrip("\n")), *pieces[1:]]
    if pieces and pieces[-1].kind == "text":
        pieces = [*pieces[:-1], pieces[-1]._replace(value=pieces[-1].value.rstrip("\n"))]
    return pieces
