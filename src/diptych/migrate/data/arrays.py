"""JSON arrays, and values over several lines, as JSON lines: one value a line, nothing taken apart.

The text is walked from bracket to bracket, strings are stepped over; an element is cut out as it stands.
A line break between its tokens becomes a carriage return, which is white space to JSON there and an
error inside of a string, as a line break is. So memory holds one element, and a broken one is a reject.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from pathlib import Path
from typing import BinaryIO, Final

from ...errors import MigrationError
from .files import Writing
from .packing import ending_of

#: A whole string, a string that has no end yet, or a mark of structure.
_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|"|[\[\]{},]', re.DOTALL)
_BLOCK: Final = 1 << 17
#: Bytes of an element that is taken for one; a larger one is a quote or a bracket that is not closed.
LARGEST: Final = 1 << 28


def is_array(name: str) -> bool:
    """Tell whether a file is called as a JSON document is, compressed or not: one that is written is an array.

    >>> is_array("chats.json.gz"), is_array("chats.jsonl")
    (True, False)
    """
    return name.removesuffix(ending_of(name)).lower().endswith(".json")


def write(lines: Path, target: Path) -> None:
    """Write a file of JSON lines as an array, an element a line."""
    with Writing(target) as writing, lines.open("rb") as file:
        before = b"[\n"
        for line in file:
            writing.file.write(before + line.rstrip(b"\n"))
            before = b",\n"
        writing.file.write(b"\n]\n" if before == b",\n" else b"[]\n")
        writing.keep()


class Elements:
    """Reads the elements of an array (``is_array``), or values one behind another, as lines."""

    def __init__(self, file: BinaryIO, path: str, *, is_array: bool) -> None:
        self._file, self._path = file, path
        self._inner = 1 if is_array else 0
        self._depth = 0
        self._text = b""
        self._at = 0  # where the scan goes on
        self._begin = 0  # where the element begins
        self._before = 0  # bytes of the file before the text
        self._ended = False

    def read(self, _: int = -1) -> bytes:
        """Return the next elements, each a line; none at the end. Raises MigrationError where the array is cut off."""
        while not self._ended:
            lines = self._scan()
            more = self._file.read(max(_BLOCK, len(self._text) - self._begin))
            if not more:
                self._ended = True
                lines += self._end()
            if not self._before and not self._text:
                self._before, more = len(more), more.removeprefix(BOM_UTF8)
                self._before -= len(more)
            self._text = self._text[self._begin :] + more
            self._before += self._begin
            self._at, self._begin = self._at - self._begin, 0
            if len(self._text) > LARGEST:
                raise self._error("an element has no end: a quote or a bracket is not closed", self._before)
            if lines:
                return b"".join(lines)
        return b""

    def _scan(self) -> list[bytes]:
        """Return the elements that end in the text at hand."""
        lines: list[bytes] = []
        depth, inner, at = self._depth, self._inner, len(self._text)
        for token in _TOKEN.finditer(self._text, self._at):
            mark = token[0]
            if mark in (b"{", b"["):
                if depth < 1:
                    self._outside(lines, token.start())
                depth += 1
                if depth == inner:
                    self._begin = token.end()
            elif mark in (b"}", b"]"):
                depth -= 1
                if depth < inner:
                    self._close(lines, token, depth)
                elif depth == inner == 0:
                    self._take(lines, token.end(), token.end())
            elif mark == b'"':
                at = token.start()  # the string goes on in the next block
                break
            elif mark == b"," and depth == inner == 1:
                self._take(lines, token.start(), token.end())
        self._depth, self._at = depth, at
        return lines

    def _take(self, lines: list[bytes], end: int, begin: int) -> None:
        lines.append(self._text[self._begin : end].strip().replace(b"\n", b"\r") + b"\n")
        self._begin = begin

    def _close(self, lines: list[bytes], token: re.Match[bytes], depth: int) -> None:
        if depth < 0 or token[0] != b"]":
            raise self._error("a bracket is closed that was not opened", self._before + token.start())
        if self._text[self._begin : token.start()].strip():
            self._take(lines, token.start(), token.end())
        self._begin = token.end()

    def _outside(self, lines: list[bytes], end: int) -> None:
        """Report what stands before an array; between values it is a line of its own, but for a comma."""
        between = self._text[self._begin : end].strip()
        if not between or (between == b"," and not self._inner):  # values of an array that lost its brackets
            self._begin = end
        elif self._inner:
            raise self._error("there is text outside of the array", self._before + self._begin)
        else:
            self._take(lines, end, end)

    def _end(self) -> list[bytes]:
        lines: list[bytes] = []
        if self._depth and self._inner:
            raise self._error("the array is not closed: the file is cut off", self._before + len(self._text))
        self._outside(lines, len(self._text))
        return lines

    def _error(self, said: str, place: int) -> MigrationError:
        return MigrationError(f"{said} (byte {place})", path=self._path)
