"""Compression: recognised by the first bytes, unpacked as it is read, written the same way every time.

Rule: a file that is cut off or damaged is an error, not an end. Members one behind another are one
file. The same bytes give the same packed bytes: no name and no time stands inside.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from contextlib import ExitStack
from typing import Any, BinaryIO, Final, cast

from ...errors import MissingExtra

#: The first bytes of each compression, by the ending of its files (RFC 1952, RFC 8878, the format of xz, bzip2's).
MAGIC: Final = {".gz": b"\x1f\x8b", ".zst": b"\x28\xb5\x2f\xfd", ".bz2": b"BZh", ".xz": b"\xfd7zXZ\x00"}
#: What unpackers raise for damaged bytes.
DAMAGED: Final = (OSError, EOFError, zlib.error, lzma.LZMAError)


def ending_of(name: str) -> str:
    """Return the ending that says how a file is compressed, empty where it is not.

    >>> ending_of("rows.jsonl.gz"), ending_of("rows.jsonl")
    ('.gz', '')
    """
    return next((ending for ending in MAGIC if name.endswith(ending)), "")


def packing_of(name: str, head: bytes) -> str:
    """Return the ending of a file's compression, by its first bytes; empty where it has none.

    A name such as ``.gz`` counts where the bytes are neither compressed nor the begin of JSON.

    >>> packing_of("rows.jsonl", b"\\x1f\\x8b\\x08"), packing_of("rows.jsonl.gz", b'{"a": 1}')
    ('.gz', '')
    """
    found = next((ending for ending, magic in MAGIC.items() if head.startswith(magic)), None)
    if found is None and head.lstrip()[:1] not in (b"{", b"["):
        found = ending_of(name)
    return found or ""


def unpacking(ending: str, raw: BinaryIO) -> BinaryIO:
    """Return a file to read unpacked bytes from. Raises MissingExtra for ``.zst`` without zstandard."""
    if ending == ".gz":
        return cast("BinaryIO", gzip.GzipFile(fileobj=raw, mode="rb"))
    if ending == ".bz2":
        return cast("BinaryIO", bz2.BZ2File(raw))
    if ending == ".xz":
        return cast("BinaryIO", lzma.LZMAFile(raw))
    return cast("BinaryIO", _Frames(raw)) if ending == ".zst" else raw


def packer(ending: str, raw: BinaryIO, stack: ExitStack) -> BinaryIO:
    """Return a file whose bytes are packed into another; closing ``stack`` completes it."""
    if ending not in MAGIC:
        return raw
    if ending == ".zst":
        frame = _zstandard().ZstdCompressor(level=3, write_checksum=True).stream_writer(raw, closefd=False)
        stack.callback(frame.close)
        return cast("BinaryIO", frame)
    packed: Any = {".gz": _gzip, ".bz2": _bzip2, ".xz": _xz}[ending](raw)
    return cast("BinaryIO", stack.enter_context(packed))


def _gzip(raw: BinaryIO) -> Any:
    return gzip.GzipFile("", "wb", 6, raw, mtime=0)


def _bzip2(raw: BinaryIO) -> Any:
    return bz2.BZ2File(raw, "wb")


def _xz(raw: BinaryIO) -> Any:
    return lzma.LZMAFile(raw, "wb")


def _zstandard() -> Any:
    try:
        import zstandard
    except ImportError:
        raise MissingExtra.of("data", "zstandard") from None
    return zstandard


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
