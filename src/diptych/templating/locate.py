"""Find the place of an error in a template: file, line, column and the way there.

Rule: Jinja knows lines of compiled code only. The frames of a traceback that run a
template give file and line; the column is found by looking for what the message
names in that line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import TracebackType
from typing import NamedTuple

from ..errors import Location
from ..sandbox.mistakes import Mistake


class SourceText(NamedTuple):
    """A template's whole text, and how many lines stand before its body."""

    file: str
    text: str
    offset: int = 0

    def line(self, number: int) -> str:
        lines = self.text.split("\n")
        return lines[number - 1].rstrip("\r") if 0 < number <= len(lines) else ""

    def location(self, body_line: int, word: str | None = None) -> Location:
        """Return the location of ``word`` in a line of the body (1-based)."""
        number = body_line + self.offset
        source = self.line(number)
        column, width = find_column(source, word)
        return Location(self.file, number, column, source, width)

    def place(self, mistake: Mistake) -> Location:
        """Return the location of a mistake, at least of its line."""
        lines = self.text.split("\n")[self.offset :]
        if found := mistake.place(lines):
            line, column, width = found
            return Location(self.file, line + self.offset, column, self.line(line + self.offset), width)
        return self.location(mistake.line or 1, quoted_word(mistake.message))

    def find(self, text: str) -> Location | None:
        """Return the location of the first line of ``text``, if the source holds it."""
        first = text.split("\n", 1)[0].strip()
        start = self.text.find(first) if first else -1
        if start < 0:
            return None
        number = self.text.count("\n", 0, start) + 1
        column = start - (self.text.rfind("\n", 0, start) + 1) + 1
        return Location(self.file, number, column, self.line(number), len(first))


def find_column(line: str, word: str | None) -> tuple[int, int]:
    """Return column (1-based) and width of a word in a line, or of its first tag."""
    if word:
        found = re.search(rf"(?<![\w]){re.escape(word)}(?![\w])", line) or re.search(re.escape(word), line)
        if found:
            return found.start() + 1, len(word)
    tag = re.search(r"\{[{%]-?\s*", line)
    if tag:
        end = re.search(r"[%}]\}", line[tag.end() :])
        return tag.start() + 1, (tag.end() + end.end() if end else len(line)) - tag.start()
    return len(line) - len(line.lstrip()) + 1, max(1, len(line.strip()))


def quoted_word(message: str) -> str | None:
    """Return the last quoted word of a message: the name that it complains about."""
    words = re.findall(r"'([^']+)'", message)
    return words[-1] if words else None


def trace(traceback: TracebackType | None, sources: Mapping[str | None, SourceText]) -> list[tuple[SourceText, int]]:
    """Return the template lines that a traceback runs through, the outermost first."""
    found: list[tuple[SourceText, int]] = []
    while traceback is not None:
        template = traceback.tb_frame.f_globals.get("__jinja_template__")
        if template is None and traceback.tb_frame.f_code.co_filename == "<template>":
            template = None
        if template is not None and template.name in sources:
            found.append((sources[template.name], template.get_corresponding_lineno(traceback.tb_lineno)))
        traceback = traceback.tb_next
    return found
