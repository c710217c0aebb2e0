"""Files: read in blocks of lines, written whole or not at all.

Rule: what appears under its name is complete. Packed parts may be put one behind another, as the
members of gzip, bzip2 and xz and frames of Zstandard may.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO, Final, cast

from ...errors import MigrationError
from .packing import ending_of, packer
from .storage import Remote, is_remote

#: Bytes that are read at once: few enough to stay in the processor's cache on their way.
BLOCK: Final = 1 << 17
PART_ENDING: Final = ".part"


def is_parquet(name: str) -> bool:
    """Tell whether a file is called as Parquet is."""
    return name.endswith((".parquet", ".pq"))


class Digest:
    """The SHA-256 of the bytes of a file, taken as they are read: each once, in their order."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()
        self._file: BinaryIO | None = None

    def of(self, file: BinaryIO) -> BinaryIO:
        """Return a file to read in the place of this one."""
        self._file = file
        return cast("BinaryIO", self)

    def read(self, size: int = -1) -> bytes:
        """Read on, and take what was read into account."""
        assert self._file is not None
        data = self._file.read(size)
        self._sha.update(data)
        return data

    def seek(self, place: int) -> int:
        """Go to the place where reading begins."""
        assert self._file is not None
        return self._file.seek(place)

    def of_what_was_read(self) -> str:
        """Return the SHA-256 of the bytes read so far."""
        return self._sha.hexdigest()

    def to_the_end(self) -> str:
        """Return the SHA-256 of the whole file: what an unpacker left is read, too."""
        while self.read(BLOCK):
            pass
        return self.of_what_was_read()


def blocks(file: BinaryIO, length: int | None = None, size: int = BLOCK) -> Iterator[bytes]:
    """Yield the bytes of a file in blocks that end where a line ends; of ``length`` bytes, the last line whole."""
    rest: list[bytes] = []  # joined once: a line may be longer than many blocks
    left = length
    while left is None or left > 0 or rest:
        data = file.read(size if left is None or left <= 0 else min(size, left))
        if not data:
            break
        is_over = left is not None and left <= 0
        left = None if left is None else left - len(data)
        cut = (data.find(b"\n") if is_over else data.rfind(b"\n")) + 1
        if cut:
            yield b"".join((*rest, data[:cut]))
            rest = []
            if is_over:
                return
        rest.append(data[cut:]) if len(data) > cut else None
    if last := b"".join(rest):
        yield last


def to_a_line(file: BinaryIO, start: int) -> int:
    """Go to the first line that begins at ``start`` or behind it, and return where that is."""
    file.seek(max(start - 1, 0))
    at = max(start - 1, 0)
    while start and (data := file.read(BLOCK)):
        found = data.find(b"\n") + 1
        at += found or len(data)
        if found:
            break
    return file.seek(at)


def digest_of(path: Path, start: int = 0, end: int | None = None) -> str:
    """Return the SHA-256 of a file's bytes, or of a range of them. Raises MigrationError where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            file.seek(start)
            left = None if end is None else end - start
            while data := file.read(BLOCK if left is None else min(BLOCK, left)):
                digest.update(data)
                left = None if left is None else left - len(data)
    except OSError as error:
        raise MigrationError(f"the file cannot be read: {said(error)}", path=os.fspath(path)) from None
    return digest.hexdigest()


def said(error: OSError) -> str:
    """Return what an error of the system says, without the file's name."""
    return error.strerror or str(error) or type(error).__name__


def changed(path: Path) -> MigrationError:
    """Return the error of a source that is not what it was when its conversion began."""
    hint = "convert it again when nothing writes to it"
    return MigrationError("the source changed while it was being converted", path=os.fspath(path), hint=hint)


def beside(target: Path, ending: str) -> Path:
    """Return the file that belongs to a target: ``out.jsonl`` has ``out.jsonl.manifest.json``."""
    return target.with_name(f"{target.name}.{ending}")


class Writing:
    """A file that appears under its name only when it is whole: call ``keep`` when it is.

    The bytes lie beside the target until then, of a target elsewhere in a temporary file of this
    machine; an error, or no ``keep``, leaves nothing.
    """

    def __init__(self, target: Path, *, packed: bool | None = None) -> None:
        self._target = target
        # A name of its own for each writer: a worker that was given up may still be writing.
        own = f"{os.getpid()}-{secrets.token_hex(4)}{PART_ENDING}"
        here = Path(tempfile.gettempdir()) / own if is_remote(target) else target.with_name(f".{target.name}.{own}")
        self._beside = here
        self._stack = ExitStack()
        self._raw: BinaryIO = self._beside.open("wb")
        self.file = self._raw if packed is False else packer(ending_of(target.name), self._raw, self._stack)
        self._kept = False

    def __enter__(self) -> Writing:
        return self

    @property
    def path(self) -> Path:
        """Where the bytes lie until the file is whole."""
        return self._beside

    def keep(self) -> None:
        """Say that everything has been written."""
        self._kept = True

    def __exit__(self, kind: object, *_: object) -> None:
        if not self._kept or kind is not None:
            with suppress(OSError):  # a full disk, say: what is thrown away need not be whole
                self._stack.close()
                self._raw.close()
            self._beside.unlink(missing_ok=True)
            return
        self._stack.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()
        self._arrive()

    def _arrive(self) -> None:
        if not isinstance(self._target, Remote):
            self._beside.replace(self._target)
            return
        try:
            self._target.put(self._beside)
        finally:
            self._beside.unlink(missing_ok=True)


def write_whole(target: Path, data: bytes) -> None:
    """Write a small file atomically."""
    with Writing(target, packed=False) as writing:
        writing.file.write(data)
        writing.keep()


def sweep(target: Path) -> None:
    """Remove what a killed writer of this target left beside it."""
    if is_remote(target):
        return
    for left in target.parent.glob(f".{_escaped(target.name)}.*{PART_ENDING}"):
        left.unlink(missing_ok=True)


def _escaped(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)
