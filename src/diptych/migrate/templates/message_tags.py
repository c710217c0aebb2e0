"""Messages that are written as XML in a text: ``<message role="user">…</message>``.

Rule: tags of the author's text alone make messages. What stands before the first is the
system's, what stands between and after them the user's.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import Final
from xml.etree import ElementTree

from .draft import Draft
from .pieces import Piece

MESSAGE: Final = re.compile(r"<message\b(?=[^<>]*\brole\s*=)")
_TAG: Final = re.compile(
    r"<message\b(?=[^<>]*\brole\s*=)([^<>]*?)(/?)>|</message\s*>|</?(text|image|chat_history)\s*>|\x00history:(\w+)\x00"
)
_ROLE: Final = re.compile(r"\brole\s*=\s*([\"'])(\w+)\1")
_OTHER: Final = re.compile(r"([\w-]+)\s*=")


def with_messages(pieces: Sequence[Piece], draft: Draft) -> list[Piece]:
    """Return the pieces with messages and histories as pieces of their own. Raises MigrationError."""
    return list(_Walk(draft).through(pieces))


class _Walk:
    """Where a walk through the pieces stands: inside of a message, of text between them, or of neither."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.is_inside = self.is_loose = self.is_image = False
        self.has_any = False

    def through(self, pieces: Sequence[Piece]) -> Iterator[Piece]:
        for piece in pieces:
            if piece.kind == "text":
                yield from self._text(piece)
            elif piece.kind == "print":
                yield from self._loose(piece.line)
                address = piece.value.strip("{} ")
                yield Piece("tag", f"{{% image {address} %}}", piece.line) if self.is_image else piece
            else:
                if piece.kind == "open" and self.is_loose:
                    self.draft.lose("$.messages", "trimmed", "white space at the ends of text between messages")
                yield piece
        if self.is_inside:
            raise self.draft.refuse("a message is not closed", hint="end it with </message>")

    def _text(self, piece: Piece) -> Iterator[Piece]:
        last = 0
        for found in _TAG.finditer(piece.value):
            yield from self._between(piece, last, found.start())
            yield from self._tag(found, piece.line + piece.value.count("\n", 0, found.start()))
            last = found.end()
        yield from self._between(piece, last, len(piece.value))

    def _between(self, piece: Piece, start: int, end: int) -> Iterator[Piece]:
        text = piece.value[start:end]
        if self.is_image and text.strip():
            yield Piece("tag", f"{{% image {text.strip()!r} %}}", piece.line)
            return
        if MESSAGE.search(text):
            raise self.draft.refuse("a role that the data decides cannot be migrated", hint="pass a history")
        if not self.is_inside and not text.strip() and not self.is_loose:
            return  # white space between messages
        begun = list(self._loose(piece.line))
        yield from begun
        if not self.is_inside:
            text = text.lstrip() if begun else text
            text = text.rstrip() if end < len(piece.value) else text
        yield piece._replace(value=html.unescape(html.unescape(text)))

    def _loose(self, line: int) -> Iterator[Piece]:
        """Begin a message for what stands outside of one."""
        if not self.is_inside and not self.is_loose:
            yield Piece("role", "user" if self.has_any else "system", line)
            self.is_loose = self.has_any = True

    def _tag(self, found: re.Match[str], line: int) -> Iterator[Piece]:
        if found[4]:
            self.is_loose, self.has_any = False, True
            yield Piece("history", found[4], line)
        elif found[3]:
            self.is_image = found[3] == "image" and not found[0].startswith("</")
        elif found[0].startswith("</"):
            self.is_inside = self.is_loose = False
        else:
            role = _ROLE.search(found[1])
            if role is None:
                raise self.draft.refuse("a message without a role cannot be migrated", line)
            for name in _OTHER.findall(_ROLE.sub("", found[1])):
                self.draft.lose(f"line {line}", "field-dropped", f"{name} of a message")
            self.is_inside, self.is_loose, self.has_any = not found[2], False, True
            yield Piece("role", role[2].lower(), line)


def messages_in(text: str) -> list[tuple[str, str]] | None:
    """Return the messages that a rendered text holds, None where it is no XML: the text is one message then.

    >>> messages_in('Brief.<message role="user">1 &lt; 2</message>')
    [('system', 'Brief.'), ('user', '1 < 2')]
    """
    try:
        root = ElementTree.fromstring(f"<root>{text.strip()}</root>")  # noqa: S314 - no entities without a DTD
    except ElementTree.ParseError:
        return None
    head = (root.text or "").strip()
    found = [("system", head)] if head else []
    for item in root:
        if item.tag == "message":
            content = "".join(item.itertext())
            found.append((item.get("role", ""), content))
        if (item.tail or "").strip():
            found.append(("user", (item.tail or "").strip()))
    return [(role, html.unescape(content)) for role, content in found]
