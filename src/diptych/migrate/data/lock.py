"""One run at a time on a target: a lock of the operating system, which a killed process does not keep.

The lock is a file ``.TARGET.lock`` that is gone when the run ends. Targets elsewhere have none: object
stores write whole files, and two runs of the same spec write the same bytes.
"""

from __future__ import annotations

import errno
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...errors import MigrationError
from .storage import is_remote

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed
    fcntl = None  # type: ignore[assignment]


@contextmanager
def held(target: Path) -> Iterator[None]:
    """Hold the lock of a target. Raises MigrationError where another process has it."""
    if is_remote(target):
        yield
        return
    path = target.parent / f".{target.name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    file = _locked(path)
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()
        os.close(file)


def _locked(path: Path) -> int:
    """Open and lock a file; one that its holder removed meanwhile is made again."""
    while True:
        if fcntl is None:
            with suppress(OSError):  # of a run that was killed
                path.unlink()
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | (0 if fcntl else os.O_EXCL), 0o644)
        except FileExistsError:
            raise _taken(path) from None
        _lock(file, path)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file), path.stat()):
                return file
        os.close(file)


def _lock(file: int, path: Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            os.close(file)
            raise _taken(path) from None
        message = f"cannot lock {path}: {error.strerror}; a second run to the same target would disturb this one"
        warnings.warn(message, UserWarning, stacklevel=4)


def _taken(path: Path) -> MigrationError:
    name = path.name.removeprefix(".").removesuffix(".lock")
    hint = "wait until it has ended, or name another target"
    return MigrationError("another process converts to this target", path=str(path.with_name(name)), hint=hint)
