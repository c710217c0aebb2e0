"""Sources: what lies in a file, by its content, and its rows as JSON lines.

Rule: the bytes decide, the name only where they leave it open. Every form that is text is read as JSON
lines, one row a line, so that everything after it knows lines alone:

- JSON lines, whatever the file is called; a JSON array, or values over several lines (``arrays``)
- CSV and TSV with a header (``delimited``), by their endings
- any of them compressed by gzip, Zstandard, bzip2 or xz (``packing``), and in UTF-8 or UTF-16
- Parquet, whose rows are read from row groups (``parquet``)

Anything else is refused with what it is.
"""

from __future__ import annotations

import codecs
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Literal, NamedTuple, cast

from ...errors import MigrationError
from .arrays import Elements
from .delimited import Records, delimiter_of
from .files import Digest
from .packing import DAMAGED, MAGIC, ending_of, packing_of, unpacking
from .storage import place as placed

#: What a file holds.
Form = Literal["lines", "array", "values", "records", "table"]
#: What names of data files end in, but for the ending of a compression.
LINES: Final = (".jsonl", ".ndjson")
RECORDS: Final = (".csv", ".tsv", ".tab")
TABLES: Final = (".parquet", ".pq")
ENDINGS: Final = (*LINES, ".json", *RECORDS, *TABLES)
#: Bytes by which a file is told.
_HEAD: Final = 1 << 16
_FOREIGN: Final = {
    b"PK\x03\x04": "a ZIP archive (or an Excel file): unpack it, or save it as CSV",
    b"ARROW1": "an Arrow file: save it as Parquet",
    b"\xff\xff\xff\xff": "an Arrow stream: save it as Parquet",
    b"SQLite format 3": "an SQLite database: export its table as CSV",
    b"\x80": "a Python pickle: save its rows as JSON lines",
    b"%PDF": "a PDF",
}
_MARKS: Final = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class Source(NamedTuple):
    """A file and what it holds: the form of its rows, how it is compressed and encoded."""

    path: Path
    form: Form = "lines"
    packing: str = ""
    encoding: str = "utf-8"
    delimiter: str = ""

    @property
    def is_table(self) -> bool:
        """Whether the rows are those of row groups, not lines."""
        return self.form == "table"

    @property
    def may_be_cut(self) -> bool:
        """Whether a line can be sought in it: then ranges of it are shards."""
        return self.form == "lines" and not self.packing and self.encoding == "utf-8"

    @contextmanager
    def opened(self, digest: Digest | None = None) -> Iterator[BinaryIO]:
        """Open a file of text: what is read of it are JSON lines.

        ``digest`` takes the bytes of the file itself. Raises MigrationError where it cannot be read,
        or is compressed and damaged.
        """
        with _readable(self.path), self.path.open("rb") as raw:
            yield self._rows(unpacking(self.packing, raw if digest is None else digest.of(raw)))

    def _rows(self, file: BinaryIO) -> BinaryIO:
        name = os.fspath(self.path)
        if self.encoding != "utf-8":
            file = cast("BinaryIO", _Recoded(file, self.encoding))
        if self.form == "records":
            return cast("BinaryIO", Records(file, name, self.delimiter))
        if self.form == "lines":
            return file
        return cast("BinaryIO", Elements(file, name, is_array=self.form == "array"))


class _Recoded:
    """Reads a text of another encoding as UTF-8."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes of UTF-8, about as many; none at the end. Raises OSError for what is not text."""
        while data := self._file.read(size):
            try:
                if text := self._decoder.decode(data):
                    return text.encode()
            except UnicodeError as error:
                raise OSError(0, f"no text: {error}") from None
        return b""


def unpacked_name(name: str) -> str:
    """Return the name of a file without the ending of its compression."""
    return name.removesuffix(ending_of(name))


def named_as_lines(name: str) -> bool:
    """Tell whether a file is called as JSON lines are, compressed or not."""
    return unpacked_name(name).endswith(LINES)


def named_as_data(name: str) -> bool:
    """Tell whether a file is called as one of the forms is, compressed or not."""
    return unpacked_name(name.lower()).endswith(ENDINGS)


def faults_of(file: BinaryIO) -> dict[int, str]:
    """Return, by their numbers, why lines of an opened source are no rows, as far as it has been read."""
    return file.faults if isinstance(file, Records) else {}


def source_of(path: str | os.PathLike[str]) -> Source:
    """Look at the first bytes of a file and return what it holds.

    Raises MigrationError where it cannot be read, or holds no rows.
    """
    place = placed(path)
    with _readable(place), place.open("rb") as raw:
        start = raw.read(8)
        raw.seek(0)
        packing = packing_of(place.name, start)
        head = _head(unpacking(packing, raw))
    if head.startswith(b"PAR1") or (not head and place.name.endswith(TABLES)):
        return _table(place, packing)
    encoding = next((name for mark, name in _MARKS.items() if head.startswith(mark)), "utf-8")
    if encoding == "utf-8":
        _check_text(head, place)
    text = head.decode(encoding, "ignore").removeprefix("\ufeff")
    name = unpacked_name(place.name.lower())
    if name.endswith(RECORDS):
        mark = "\t" if not name.endswith(".csv") else delimiter_of(text)
        return Source(place, "records", packing, encoding, mark)
    return Source(place, _form_of(text), packing, encoding)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Raise MigrationError for what reading a file raises."""
    try:
        yield
    except DAMAGED as error:
        said = getattr(error, "strerror", None) or error
        raise MigrationError(f"the file cannot be converted: {said}", path=os.fspath(path)) from None


def _head(file: BinaryIO) -> bytes:
    found = b""
    while len(found) < _HEAD and (more := file.read(_HEAD - len(found))):
        found += more
    return found


def _table(path: Path, packing: str) -> Source:
    if packing:
        raise MigrationError(f"a Parquet file in {packing} cannot be read", path=os.fspath(path), hint="unpack it")
    return Source(path, "table")


def _check_text(head: bytes, path: Path) -> None:
    said = next((said for mark, said in _FOREIGN.items() if head.startswith(mark)), None)
    if said is None and any(head.startswith(mark) for mark in MAGIC.values()):
        said = "compressed twice: unpack it once"
    if said is None and b"\0" in head[:1024]:
        said = "binary data"
    if said is not None:
        raise MigrationError(f"the file holds no rows: it is {said}", path=os.fspath(path))


def _form_of(text: str) -> Form:
    """Return whether a text is JSON lines, an array, or values over several lines."""
    start = text.lstrip()
    lines = [line for line in start.split("\n") if line.strip()]
    if start[:1] not in ("{", "["):
        return "lines"
    if start[:1] == "[":  # lists as lines are no array
        return "lines" if len(lines) > 1 and _is_json(lines[0]) and _is_json(lines[1]) else "array"
    if len(lines) > 1 and (_is_json(lines[0]) or _is_json(lines[1], "{")):
        return "lines"
    return "lines" if len(lines) < 2 or not lines[0].rstrip().endswith(("{", "[", ",", ":")) else "values"


def _is_json(line: str, begin: str = "") -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return line.lstrip().startswith(begin)
