"""Files: read by their endings, written whole or not at all.

Rule: what appears under its name is complete. The same rows give the same bytes, packed
ones included: no name and no time stands inside. Packed parts may be put one behind
another, as members of gzip and frames of Zstandard may.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import secrets
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from ...errors import MigrationError, MissingExtra

#: Bytes that are read at once: few enough to stay in the processor's cache on their way.
BLOCK: Final = 1 << 17
#: What JSON lines are called, packed or not.
LINES: Final = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".ndjson", ".ndjson.gz", ".ndjson.zst")
_PART: Final = ".part"


def is_parquet(name: str) -> bool:
    """Tell whether a file is called as Parquet is."""
    return name.endswith((".parquet", ".pq"))


def is_packed(name: str) -> bool:
    """Tell whether a file is unpacked as it is read, so that no place in it can be sought."""
    return name.endswith((".gz", ".zst"))


def _zstandard() -> Any:
    try:
        import zstandard
    except ImportError:
        raise MissingExtra.of("data", "zstandard") from None
    return zstandard


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


@contextmanager
def opened(path: Path, digest: Digest | None = None) -> Iterator[BinaryIO]:
    """Open a file for reading; ``.gz`` and ``.zst`` are unpacked as they are read.

    ``digest`` takes the bytes of the file itself. Raises MigrationError where it cannot be read, or is
    packed and damaged.
    """
    try:
        with path.open("rb") as raw:
            yield _reader(path.name, raw if digest is None else digest.of(raw))
    except (OSError, EOFError, zlib.error) as error:
        said = getattr(error, "strerror", None) or error
        raise MigrationError(f"the file cannot be converted: {said}", path=os.fspath(path)) from None


def _reader(name: str, raw: BinaryIO) -> BinaryIO:
    if name.endswith(".gz"):
        return cast("BinaryIO", gzip.GzipFile(fileobj=raw, mode="rb"))
    return cast("BinaryIO", _Frames(raw)) if name.endswith(".zst") else raw


class _Frames:
    """Reads frames of Zstandard one behind another; one that is cut off is an error, not an end."""

    #: Bytes that are unpacked at once: as each may stand for thousands, few.
    _CHUNK = 1 << 13

    def __init__(self, file: BinaryIO) -> None:
        self._new = _zstandard().ZstdDecompressor().decompressobj
        self._error = _zstandard().ZstdError
        self._file = file
        self._frame: Any = None
        self._rest = b""

    def read(self, _: int) -> bytes:
        """Return the next bytes, as many as there are at hand; none at the end."""
        while True:
            packed, self._rest = self._rest or self._file.read(self._CHUNK), b""
            if not packed:
                if self._frame is not None:
                    raise EOFError("the file ends inside a frame")
                return b""
            self._frame = self._frame or self._new()
            try:
                data: bytes = self._frame.decompress(packed)
            except self._error as error:
                raise OSError(0, f"no Zstandard: {error}") from None
            if self._frame.eof:
                self._rest, self._frame = self._frame.unused_data, None
            if data:
                return data


def blocks(file: BinaryIO, length: int | None = None, size: int = BLOCK) -> Iterator[bytes]:
    """Yield the bytes of a file in blocks that end where a line ends; ``length`` bytes at the most."""
    rest: list[bytes] = []  # joined once: a line may be longer than many blocks
    left = length
    while left is None or left > 0:
        data = file.read(size if left is None else min(size, left))
        if not data:
            break
        left = None if left is None else left - len(data)
        cut = data.rfind(b"\n") + 1
        if cut:
            yield b"".join((*rest, data[:cut]))
            rest = []
        rest.append(data[cut:])
    if last := b"".join(rest):
        yield last


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes. Raises MigrationError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MigrationError(f"the file cannot be read: {error.strerror}", path=os.fspath(path)) from None


#: What a file's size, inode and time of change are: it was written to where they differ.
State = tuple[int, int, int]


def state_of(path: Path) -> State | None:
    """Return what shows that a file was written to or replaced, None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_ino, found.st_mtime_ns


def changed(path: Path) -> MigrationError:
    """Return the error of a source that is not what it was when its conversion began."""
    hint = "convert it again when nothing writes to it"
    return MigrationError("the source changed while it was being converted", path=os.fspath(path), hint=hint)


def beside(target: Path, ending: str) -> Path:
    """Return the file that belongs to a target: ``out.jsonl`` has ``out.jsonl.manifest.json``."""
    return target.with_name(f"{target.name}.{ending}")


class Writing:
    """A file that appears under its name only when it is whole: call ``keep`` when it is.

    The bytes lie beside the target until then; an error, or no ``keep``, leaves nothing.
    """

    def __init__(self, target: Path, *, packed: bool | None = None) -> None:
        self._target = target
        # A name of its own for each writer: a worker that was given up may still be writing.
        self._beside = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}{_PART}")
        self._stack = ExitStack()
        self._raw: BinaryIO = self._beside.open("wb")
        self.file = self._raw if packed is False else self._packing(target.name)
        self._kept = False

    def _packing(self, name: str) -> BinaryIO:
        if name.endswith(".gz"):
            packed = gzip.GzipFile("", "wb", 6, self._raw, mtime=0)
            self._stack.callback(packed.close)
            return cast("BinaryIO", packed)
        if name.endswith(".zst"):
            frame = _zstandard().ZstdCompressor(level=3, write_checksum=True).stream_writer(self._raw, closefd=False)
            self._stack.callback(frame.close)
            return cast("BinaryIO", frame)
        return self._raw

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
        self._beside.replace(self._target)


def write_whole(target: Path, data: bytes) -> None:
    """Write a small file atomically."""
    with Writing(target, packed=False) as writing:
        writing.file.write(data)
        writing.keep()


def sweep(target: Path) -> None:
    """Remove what a killed writer of this target left beside it."""
    for left in target.parent.glob(f".{_escaped(target.name)}.*{_PART}"):
        left.unlink(missing_ok=True)


def _escaped(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)
