"""What a GGUF file says of itself: the keys and values before its tensors.

Source: ggml-org/ggml, docs/gguf.md (version 3): little-endian; a key is a text, a value has a type
number; lists have the type of their items and a length. Nothing of the tensors is read.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Collection
from typing import Any, BinaryIO, Final

from ..errors import FormatError

_SCALARS: Final = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip
_TEXT, _LIST = 8, 9
#: Longer than any chat template or list of tokens; a damaged length ends here.
_MOST: Final = 1 << 28


def read_metadata(path: str | os.PathLike[str], wanted: Collection[str]) -> dict[str, Any]:
    """Return the values of these keys. Raises FormatError for a file that is not a GGUF file, or is cut."""
    with open(path, "rb") as file:
        if file.read(4) != b"GGUF":
            raise FormatError(f"{os.fspath(path)!r} is not a GGUF file")
        try:
            _, _, count = struct.unpack("<IQQ", _take(file, 20))
            found: dict[str, Any] = {}
            for _ in range(count):
                key, kind = _text(file).decode("utf-8", "replace"), _number(file, "<I")
                value = _value(file, kind, key in wanted)
                if key in wanted:
                    found[key] = value
                if len(found) == len(wanted):
                    break
        except (struct.error, KeyError, EOFError, RecursionError):
            raise FormatError(f"{os.fspath(path)!r}: the GGUF metadata is cut or damaged") from None
    return found


def _take(file: BinaryIO, size: int) -> bytes:
    data = file.read(size) if size <= _MOST else b""
    if len(data) != size:
        raise EOFError
    return data


def _number(file: BinaryIO, form: str) -> Any:
    return struct.unpack(form, _take(file, struct.calcsize(form)))[0]


def _text(file: BinaryIO) -> bytes:
    return _take(file, _number(file, "<Q"))


def _value(file: BinaryIO, kind: int, is_wanted: bool) -> Any:
    if kind == _TEXT:
        return _text(file).decode("utf-8", "replace")
    if kind != _LIST:
        return _number(file, _SCALARS[kind])
    inner, length = _number(file, "<I"), _number(file, "<Q")
    if inner in _SCALARS and not is_wanted:
        _take(file, struct.calcsize(_SCALARS[inner]) * length)
        return None
    if length > _MOST:
        raise EOFError
    return [_value(file, inner, is_wanted) for _ in range(length)]
