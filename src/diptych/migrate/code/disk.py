"""Bytes of files: decoded as Python itself would, and put in a file's place in one step or not at all."""

from __future__ import annotations

import io
import os
import tempfile
import tokenize
from pathlib import Path

from ...errors import MigrationError


def decoded(data: bytes, *, is_python: bool) -> tuple[str, str]:
    """Return the text and the encoding to write it in; a byte order mark is a character of the text."""
    encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0] if is_python else "utf-8"
    encoding = "utf-8" if encoding == "utf-8-sig" else encoding
    text = data.decode(encoding)
    if text.encode(encoding) != data:
        raise UnicodeError(f"its bytes are not those that {encoding} would write")
    return text, encoding


def replace_file(path: Path, old: bytes, new: bytes, *, backup: bool = False) -> None:
    """Put new bytes in a file's place in one step; permissions stay, a link is followed.

    Raises MigrationError where the file changed since it was read.
    """
    target = Path(os.path.realpath(path))
    mode = target.stat().st_mode
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(new)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode & 0o7777)
        if target.read_bytes() != old:
            raise MigrationError("the file changed while it was migrated", path=os.fspath(path))
        if backup:
            _keep(target, old, mode)
        os.replace(name, target)
    except BaseException:
        if os.path.exists(name):
            os.unlink(name)
        raise


def _keep(target: Path, old: bytes, mode: int) -> None:
    kept = target.with_name(target.name + ".bak")
    kept.write_bytes(old)
    os.chmod(kept, mode & 0o7777)
