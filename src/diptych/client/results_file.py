"""The results file of a batch while a run writes to it: one writer, whole lines.

Rule: nothing of a file changes before every line of it is known to be a result, and a torn last
line to be the beginning of one. A file has one writer at a time. The lock is the operating
system's, so that a process that is killed holds nothing: ``flock`` on the file itself, and on
Windows, which has none, a file ``NAME.lock`` beside it that the system deletes with its process.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import threading
import warnings
from collections.abc import Collection, Iterator, Mapping
from types import TracebackType
from typing import Any, Final

from ..errors import ClientError
from .results import Name, is_mendable, is_own, line_of, parsed, survey

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_FLAGS: Final = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)
#: A file of this kind goes with its process, killed or not (Windows only).
_TEMPORARY: Final = getattr(os, "O_TEMPORARY", 0)


class Results:
    """A results file, held by this process alone until it is closed: a context manager.

    ``fresh`` demands that the file does not exist. Raises ClientError where it exists or another
    process holds it, FormatError where it is something else than results; it is unchanged then.
    """

    def __init__(self, path: Name, *, fresh: bool = False) -> None:
        self._path = os.path.realpath(path)
        self._name = os.fspath(path)
        self._lock = threading.Lock()
        self._beside: int | None = None
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        self._file: int = self._held(os.O_EXCL if fresh else 0)
        try:
            if not stat.S_ISREG(os.fstat(self._file).st_mode):
                raise ClientError("the results go to a regular file, which this is not", path=self._name)
            with open(self._file, "rb", closefd=False) as file:
                self.survey = survey(file, self._name)
        except BaseException:
            self._release()
            raise

    def __enter__(self) -> Results:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def begin(self, ids: Collection[str] | Mapping[str, str]) -> set[str]:
        """Make the file ready for the results of these ids; return the ids that are done.

        A mapping also gives the hash of each body: what failed for good with another body is done again.

        A torn last line is cut off. Results that a later run may mend are taken out where their
        ids are among ``ids``, so that an id never has two lines.
        """
        found = self.survey
        mended = found.changed(ids) & found.failed.keys() if isinstance(ids, Mapping) else set[str]()
        again = ((found.mendable & set(ids)) - found.done) | mended
        if again:
            self._rewrite(again)
        elif found.torn:
            os.ftruncate(self._file, found.end)
        elif found.unended:
            os.write(self._file, b"\n")
        return found.done - mended

    def append(self, value: Mapping[str, Any]) -> None:
        """Write one line, the whole of it or nothing."""
        line = line_of(value)
        with self._lock:
            if self._file < 0:
                raise ClientError("the results file is closed", path=self._name)
            end = os.fstat(self._file).st_size
            try:
                _write(self._file, line)
            except OSError:
                # The beginning of a line would swallow the next one.
                os.ftruncate(self._file, end)
                raise

    def close(self) -> None:
        """Write everything to the disk and let the file go."""
        with self._lock:
            if self._file < 0:
                return
            try:
                os.fsync(self._file)
            finally:
                self._release()

    # one writer ---------------------------------------------------------------------------

    def _held(self, extra: int) -> int:
        """Open the file so that nobody else can; see the module's rule."""
        if fcntl is None:
            self._beside = _beside(self._path, self._name)
        try:
            while True:
                file = os.open(self._path, _FLAGS | os.O_CREAT | extra, 0o644)
                if self._is_mine(file):
                    return file
                os.close(file)
        except FileExistsError:
            self._leave_beside()
            hint = "continue it with resume=True (--resume on the command line), or name another file"
            raise ClientError("the results file exists", path=self._name, hint=hint) from None
        except BaseException:
            self._leave_beside()
            raise

    def _is_mine(self, file: int) -> bool:
        """Lock an open file; return False where another file has taken its place meanwhile."""
        try:
            _flock(file, self._name)
        except BaseException:
            os.close(file)
            raise
        with contextlib.suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(file), os.stat(self._path))
        return False

    def _rewrite(self, without: set[str]) -> None:
        """Put a file into this one's place that lacks the results of some ids; whole or not at all."""
        fresh = f"{self._path}.{secrets.token_hex(4)}.tmp"
        mode = stat.S_IMODE(os.fstat(self._file).st_mode)
        copy = os.open(fresh, _FLAGS | os.O_CREAT | os.O_EXCL, mode)
        try:
            for line in self._kept(without):
                _write(copy, line)
            os.fsync(copy)
            self._replace_by(copy, fresh)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(fresh)
            raise

    def _kept(self, without: set[str]) -> Iterator[bytes]:
        os.lseek(self._file, 0, os.SEEK_SET)
        with open(self._file, "rb", closefd=False) as file:
            for raw in file:
                row = parsed(raw)
                if is_own(row) and not (row["custom_id"] in without and (is_mendable(row) or _is_failed(row))):
                    yield raw if raw.endswith(b"\n") else raw + b"\n"

    def _replace_by(self, copy: int, fresh: str) -> None:
        if fcntl is None:
            # Windows renames no file that is open; the lock stands beside it.
            os.close(copy)
            os.close(self._file)
            os.replace(fresh, self._path)
            self._file = os.open(self._path, _FLAGS)
            return
        _flock(copy, self._name)
        os.replace(fresh, self._path)
        old, self._file = self._file, copy
        os.close(old)

    def _release(self) -> None:
        file, self._file = self._file, -1
        os.close(file)
        self._leave_beside()

    def _leave_beside(self) -> None:
        beside, self._beside = self._beside, None
        if beside is not None:
            os.close(beside)
            if not _TEMPORARY:
                os.unlink(f"{self._path}.lock")


def _is_failed(row: Mapping[str, Any]) -> bool:
    return row.get("error") is not None


def _write(file: int, data: bytes) -> None:
    """Write all of it: one call may take a part."""
    while data:
        data = data[os.write(file, data) :]


def _flock(file: int, name: str) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise _taken(name, "wait until it has ended, or name another results file") from None
        warnings.warn(
            f"cannot lock {name}: {error.strerror}; a second process on it would send everything twice",
            UserWarning,
            stacklevel=2,
        )


def _beside(path: str, name: str) -> int:
    try:
        return os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_EXCL | _TEMPORARY)
    except (FileExistsError, PermissionError):
        if not os.path.exists(f"{path}.lock"):
            raise
        hint = f"wait until it has ended, or name another results file; delete {name}.lock if none is running"
        raise _taken(name, hint) from None


def _taken(name: str, hint: str) -> ClientError:
    return ClientError("another process is writing to this results file", path=name, hint=hint)
