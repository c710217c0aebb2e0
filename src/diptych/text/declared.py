"""Tools that a text declares: each in a notation, in a frame of the format's own words.

One row of data writes the declaration and reads it. What stands in the frame is read as tools where each
is one in the notation and nothing that a tool has no place for; anything else stays text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..model import ToolSpec
from .tool_notations import JSON, Notation


@dataclass(frozen=True, slots=True)
class Declared:
    """How a format declares tools: ``before``, each with ``open`` and ``close`` around it, ``after``.

    ``place`` says where: beside the system text (``joined`` stands between), in a system turn of their own
    before it, before everything, at the beginning of the first user's turn, or before the turn of the last user.
    ``between`` stands between two tools. ``leads``: the declaration stands before the system text, not behind it.
    ``alone`` is the system text where there is none; ``environment`` stands before every system text. ``is_read_only``:
    it stands amid the lines of a model's own template, which are read and not written.
    """

    before: str
    after: str
    open: str = "\n"
    close: str = ""
    joined: str = "\n\n"
    between: str = ""
    place: Literal["system", "turn", "head", "first-user", "last-user"] = "system"
    notation: Notation = JSON
    leads: bool = False
    alone: str = ""
    environment: str = ""
    is_read_only: bool = False

    def write(self, tools: Sequence[ToolSpec]) -> str:
        """Return the declaration of tools.

        >>> Declared("<t>", "</t>", open="").write([ToolSpec("f")])
        '<t>{"type": "function", "function": {"name": "f"}}</t>'
        """
        written = [self.open + self.notation.write(tool) + self.close for tool in tools]
        return self.before + self.between.join(written) + self.after

    def around(self, written: str, text: str | None) -> tuple[str, str]:
        """Return what a declaration puts before a system text, and behind it; None for no system text.

        >>> Declared("", "").around("<t>", "Hi"), Declared("", "", leads=True).around("<t>", "Hi")
        (('', '\\n\\n<t>'), ('<t>\\n\\n', ''))
        """
        joined = self.joined if text or (text is not None and not self.leads) else ""
        return (written + joined, "") if self.leads else ("", joined + written)

    def apart(self, text: str) -> tuple[str | None, tuple[ToolSpec, ...]]:
        """Return a system text and the tools declared beside it; no text: there is nothing but them.

        >>> Declared("<t>", "</t>", open="").apart('Hi\\n\\n<t>{"name": "f"}</t>')
        ('Hi', (ToolSpec(name='f', description=None, parameters=None, strict=None, native=FrozenMap({})),))
        """
        if self.is_read_only:
            return self._amid(text)
        is_first = self.leads or self.before in self.between
        start = text.find(self.before) if is_first else text.rfind(self.before)
        tools, end = self._tools(text, start + len(self.before)) if start >= 0 else ((), 0)
        if not tools or (start and self.leads) or (not self.leads and end < len(text)):
            return text, ()
        own = text[end:] if self.leads else text[:start]
        if not own:
            return None, tools
        is_joined = own.startswith(self.joined) if self.leads else own.endswith(self.joined)
        if self.place == "turn" or not is_joined:
            return text, ()
        own = own.removeprefix(self.joined) if self.leads else own.removesuffix(self.joined)
        return (None if self.alone and own == self.alone else own), tools

    def _amid(self, text: str) -> tuple[str, tuple[ToolSpec, ...]]:
        """Return a system text without the tools that are declared amid it."""
        start = text.find(self.before)
        tools, end = self._tools(text, start + len(self.before)) if start >= 0 else ((), 0)
        return (text[:start] + text[end:], tools) if tools else (text, ())

    def cut(self, text: str, user: str, system: str = "") -> tuple[str, tuple[ToolSpec, ...]]:
        """Return a text without the tools that stand before it or at a user's turn; the marks open turns.

        >>> Declared("<t>", "</t>", open="", place="head").cut('<t>{"name": "f"}</t>Hi', "<u>")[0]
        'Hi'
        """
        if self.place not in ("head", "first-user", "last-user"):
            return text, ()
        start = text.find(self.before)
        if self.place == "first-user" and (start < len(user) or text.find(user) != start - len(user)):
            return text, ()
        tools, follows = self._tools(text, start + len(self.before)) if start >= 0 else ((), 0)
        if not tools or (self.place == "last-user" and text.rfind(user) != follows):
            return text, ()
        before = text[:start]
        if self.environment:
            before = before.replace(system + self.environment, system, 1)
        return before + text[follows:], tools

    def _tools(self, text: str, position: int) -> tuple[tuple[ToolSpec, ...], int]:
        """Return the tools that stand from a position on, and where their frame ends; none where it holds more."""
        found: list[ToolSpec] = []
        while text.startswith(self.open, position) and (not self.after or not text.startswith(self.after, position)):
            read = self.notation.read(text, position + len(self.open))
            if read is None or not text.startswith(self.close, read[1]):
                break
            found.append(read[0])
            position = read[1] + len(self.close)
            if self.between and not text.startswith(self.between, position):
                break
            position += len(self.between)
        return (tuple(found), position + len(self.after)) if text.startswith(self.after, position) else ((), 0)
