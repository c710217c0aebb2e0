"""CSV and TSV as JSON lines: one record a line, an object of its columns.

A cell is text. In columns that hold lists in every layout (messages, conversations, tools, ...) a cell
that is JSON, or a list as Python prints it, is what it says; in columns of judgements ``true`` and
``1`` are true. The header is line 1, so the numbers of rows are those of a spreadsheet.
"""

from __future__ import annotations

import ast
import csv
import io
import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, BinaryIO, Final, cast

from ...datasets.rows import JUDGEMENTS
from ...errors import MigrationError

#: Columns that hold lists or objects where they hold text that reads as such.
_NESTED: Final = frozenset(
    {"messages", "conversations", "conversation", "tools", "functions", "body", "history", "completions", "labels",
     "dialog", "dialogue", "contents", "images", "response", "preferred_output", "non_preferred_output"}
)  # fmt: skip
#: Columns that are texts or turns: only turns are taken for what they say.
_TURNS: Final = frozenset({"prompt", "completion", "chosen", "rejected", "input", "output", "data", "text"})
_FLAGS: Final = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
#: Characters that may stand between cells, the likelier first, and the records that are tried.
_DELIMITERS: Final = ",;\t|"
_TRIED: Final = 20
#: Characters of the largest cell.
_LARGEST: Final = 1 << 28
_BATCH: Final = 200


class Records:
    """Reads the records of a file as lines of JSON. ``faults`` says of a line why its record is none."""

    def __init__(self, file: BinaryIO, path: str, delimiter: str) -> None:
        csv.field_size_limit(_LARGEST)
        raw = io.BufferedReader(cast("io.RawIOBase", _Raw(file)))
        text = io.TextIOWrapper(raw, "utf-8-sig", "surrogateescape", newline="")
        self._records = csv.reader(text, delimiter=delimiter, strict=True)
        self._number = 1
        self.faults: dict[int, str] = {}
        self._names = self._header(path)
        self._pending = b"\n"  # the header

    def read(self, _: int = -1) -> bytes:
        """Return the next records, each a line; none at the end."""
        lines = [self._pending]
        self._pending = b""
        for _ in range(_BATCH):
            line = self._next()
            if line is None:
                break
            lines.append(line)
        return b"".join(lines)

    def _header(self, path: str) -> list[str]:
        try:
            names = next(self._records, [])
        except csv.Error as error:
            raise MigrationError(f"the header cannot be read: {error}", path=f"{path}:1") from None
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise MigrationError(f"two columns are called {twice!r}", path=f"{path}:1")
        return names

    def _next(self) -> bytes | None:
        try:
            cells = next(self._records, None)
        except csv.Error as error:
            self._number += 1
            self.faults[self._number] = f"the record cannot be read: {error}"
            return b'""\n'
        if cells is None:
            return None
        self._number += 1
        if not cells:
            return b"\n"
        self._check(cells)
        if self._number in self.faults:
            return json.dumps(cells).encode() + b"\n"
        named = zip(self._names, cells, strict=True)
        row = {name: value for name, cell in named if (value := _value(name, cell)) is not None}
        return json.dumps(row).encode() + b"\n"

    def _check(self, cells: list[str]) -> None:
        if len(cells) != len(self._names):
            self.faults[self._number] = f"the record has {len(cells)} cells, the header {len(self._names)}"
        elif any("\udc80" <= char <= "\udcff" for cell in cells if not cell.isascii() for char in cell):
            self.faults[self._number] = "the record is not UTF-8"


def _value(name: str, cell: str) -> Any:
    """Return what a cell says, None where it says nothing."""
    if name in JUDGEMENTS:
        return _FLAGS.get(cell.strip().lower(), cell) if cell else None
    if name not in _NESTED | _TURNS or cell.lstrip()[:1] not in ("[", "{"):
        return cell
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        found = _printed(cell)
    return found if name in _NESTED or _are_turns(found) else cell


def _are_turns(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(turn, dict) and {"role", "from"} & turn.keys() for turn in value)


def _printed(cell: str) -> Any:
    """Return a list or an object as Python prints it, any other cell as its text."""
    try:
        found = ast.literal_eval(cell)
        json.dumps(found, allow_nan=False)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return cell
    return found


def delimiter_of(text: str) -> str:
    """Return what stands between the cells of the first lines: what gives each the most, and the same number.

    >>> delimiter_of("a;b\\n1,5;2\\n"), delimiter_of("text\\nHi\\n")
    (';', ',')
    """
    counts = {mark: _columns(text, mark) for mark in _DELIMITERS}
    return max(_DELIMITERS, key=lambda mark: counts[mark])


def _columns(text: str, mark: str) -> int:
    """Return how many columns the header and most records have with this delimiter; 1 where they differ."""
    sizes: list[int] = []
    records: Iterator[list[str]] = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    with suppress(csv.Error):
        sizes += [len(record) for record in islice(records, _TRIED) if record]
    return sizes[0] if sizes and 2 * sizes.count(sizes[0]) > len(sizes) else 1


class _Raw(io.RawIOBase):
    """A file of unpacked bytes as the standard library's readers take one."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._rest = file, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._rest or self._file.read(len(buffer))
        self._rest = data[len(buffer) :]
        data = data[: len(buffer)]
        buffer[: len(data)] = data
        return len(data)
