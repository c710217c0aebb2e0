"""Places in a template file: of a node, of a key of the front matter, of an error, of a character."""

from __future__ import annotations

from functools import cached_property

from ...errors import DiptychError, Location
from ...sandbox.mistakes import Mistake
from ..frontmatter import Parts, locate_path
from ..locate import find_column, quoted_word
from .columns import Place
from .finding import Fix


class Places:
    """The places of a text; ``file`` is its name in messages, ``parts`` what it is taken apart into."""

    file: str
    text: str

    @cached_property
    def parts(self) -> Parts | None:
        """The front matter and the body, None where the front matter is broken."""
        raise NotImplementedError

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.removeprefix("\ufeff").split("\n")

    def line(self, number: int) -> str:
        """Return a line of the file (1-based)."""
        return self._lines[number - 1].rstrip("\r") if 0 < number <= len(self._lines) else ""

    def at(self, line: int, word: str | None = None) -> Location:
        """Return the place of a word in a line of the body: the one that stands there, or the next one."""
        number = line + (self.parts.offset if self.parts else 0)
        source, start = self.line(number), line.column - 1 if isinstance(line, Place) else 0
        if word is None:
            start = max(0, *(source.rfind(opening, 0, start + 2) for opening in ("{%", "{{")))
        column, width = find_column(source[start:], word)
        return Location(self.file, number, start + column, source, width)

    def at_mistake(self, mistake: Mistake) -> Location:
        """Return the place of a mistake that was found in the syntax tree."""
        return self.at(mistake.line or 1, quoted_word(mistake.message))

    def at_key(self, *path: str) -> Location:
        """Return the place of a key of the front matter (``"inputs", "text"``), else the beginning of the file."""
        return self.at_path("$." + ".".join(path)) or self.top

    def at_path(self, path: str) -> Location | None:
        """Return the place of a JSON path in the front matter."""
        return locate_path(self.parts.front, path, self.file) if self.parts else None

    @property
    def top(self) -> Location:
        """The first line of the file."""
        return Location(self.file, 1, 1, self.line(1)[:200], max(1, len(self.line(1)[:200])))

    def at_error(self, error: DiptychError) -> Location:
        """Return the place of an error that loading the template raised."""
        return (self.at_path(error.path) if error.path else None) or place_of(error) or self.top

    def at_offset(self, position: int, width: int = 1) -> Location:
        """Return the place of a character of the whole text."""
        number = self.text.count("\n", 0, position) + 1
        column = position - (self.text.rfind("\n", 0, position) + 1) + 1
        return Location(self.file, number, column, self.line(number), width)

    def position(self, place: Location) -> int:
        """Return where a place begins in the whole text."""
        bom = len(self.text) - len(self.text.removeprefix("\ufeff"))
        return bom + sum(len(line) + 1 for line in self._lines[: place.line - 1]) + place.column - 1

    def insert_key(self, key: str) -> Fix:
        """Return the fix that adds a key (``"trim: blocks"``) to the front matter."""
        start = self.position(Location(self.file, 1))
        line_break = "\r\n" if self._lines[0].endswith("\r") else "\n"
        if not self.parts or not self.parts.offset:
            return Fix(start, start, line_break.join(["---", key, "---", ""]))
        start += len(self._lines[0]) + 1
        is_flow = self.parts.front.lstrip().startswith("{")
        start += self.parts.front.index("{") + 1 if is_flow else 0
        rest = self.parts.front.lstrip()[1:].lstrip()
        return Fix(start, start, (f"{key}, " if rest[:1] != "}" else key) if is_flow else key + line_break)


def place_of(error: DiptychError) -> Location | None:
    """Return the place that an error has by itself."""
    place: Location | None = getattr(error, "location", None)
    return place
