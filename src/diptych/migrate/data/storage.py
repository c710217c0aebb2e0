"""Places of files, on this machine and elsewhere (``s3://``, ``gs://``, ``https://`` …); fsspec is imported here alone.

A place elsewhere is a :class:`Remote`, which has of :class:`pathlib.Path` what data sets need: it is
read in ranges, and written in one piece. A name with an unknown scheme is an error, never a folder.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final, cast

from ...errors import MigrationError, MissingExtra
from ...suggest import suggest

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
#: Bytes that are fetched at once.
_FETCHED: Final = 4 << 20
#: What shows that a file was written to or replaced: it is another one where any of it differs.
State = tuple[Any, ...]
#: What file systems say of a version of a file, the first of which is taken.
_VERSIONS: Final = ("ETag", "etag", "md5Hash", "generation", "oid", "blob_id", "mtime", "LastModified", "created")


def place(name: str | os.PathLike[str]) -> Path:
    """Return the place of a name: a path of this machine, or the like elsewhere.

    Raises MigrationError for an unknown scheme, MissingExtra where the scheme's package is not installed.

    >>> place("data/a.jsonl").name, place("memory://bucket/a.jsonl").name
    ('a.jsonl', 'a.jsonl')
    """
    if isinstance(name, Remote):
        return cast("Path", name)
    text = os.fspath(name)
    found = _SCHEME.match(text)
    if found is None or isinstance(name, Path):
        return Path(text)
    if found[1].lower() == "file":
        return Path(text[found.end() :])
    return cast("Path", Remote(text))


def is_remote(path: object) -> bool:
    """Tell whether a place is on another machine."""
    return isinstance(path, Remote)


class Remote:
    """A file or folder of a remote file system."""

    def __init__(self, url: str, fs: Any = None) -> None:
        self._root, _, rest = url.partition("://")
        self._url = f"{self._root}://{rest.strip('/')}"
        self._fs = fs or _file_system(url)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Remote, (self._url,))

    def __str__(self) -> str:
        return self._url

    def __repr__(self) -> str:
        return f"Remote({self._url!r})"

    def __fspath__(self) -> str:
        return self._url

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Remote) and self._url == other._url

    def __hash__(self) -> int:
        return hash(self._url)

    def __lt__(self, other: Remote) -> bool:
        return self._url < other._url

    def __truediv__(self, name: str | os.PathLike[str]) -> Remote:
        return Remote(f"{self._root}://{self._inside}/{PurePosixPath(name)}", self._fs)

    @property
    def _inside(self) -> str:
        return self._url.removeprefix(f"{self._root}://")

    @property
    def name(self) -> str:
        """The last part of the name."""
        return self._url.rpartition("/")[2].partition("?")[0]

    @property
    def suffix(self) -> str:
        """The ending of the name."""
        return PurePosixPath(self.name).suffix

    @property
    def parent(self) -> Remote:
        """The folder that this lies in."""
        return Remote(f"{self._root}://{self._inside.rpartition('/')[0]}", self._fs)

    @property
    def parents(self) -> list[Remote]:
        """The folders that this lies in, the innermost first."""
        steps = self._inside.split("/")
        return [Remote(f"{self._root}://{'/'.join(steps[:n])}", self._fs) for n in range(len(steps) - 1, 0, -1)]

    def with_name(self, name: str) -> Remote:
        """Return the place of another file in the same folder."""
        return self.parent / name

    def resolve(self) -> Remote:
        """Return this place: a URL has no other name."""
        return self

    def relative_to(self, other: object) -> PurePosixPath:
        """Return the way from a folder down to this."""
        return PurePosixPath(self._url.removeprefix(f"{other}/"))

    def exists(self) -> bool:
        """Tell whether there is a file or folder of this name."""
        self._fs.invalidate_cache()
        return bool(self._fs.exists(self._url))

    def is_file(self) -> bool:
        """Tell whether this is a file."""
        return self.exists() and bool(self._fs.isfile(self._url))

    def is_dir(self) -> bool:
        """Tell whether this is a folder with something in it."""
        return self.exists() and bool(self._fs.isdir(self._url))

    def size(self) -> int:
        """Return the bytes of the file. Raises OSError where it does not say."""
        size = self._fs.info(self._url).get("size")
        if size is None:
            raise OSError(0, "the server does not say how long the file is", self._url)
        return int(size)

    def state(self) -> State:
        """Return what shows that the file was replaced. Raises OSError where there is none."""
        self._fs.invalidate_cache()
        info = self._fs.info(self._url)
        version = next((str(info[name]) for name in _VERSIONS if info.get(name)), "")
        return info.get("size"), version

    def open(self, mode: str = "rb") -> BinaryIO:
        """Open the file for reading."""
        assert mode == "rb"
        return cast("BinaryIO", self._fs.open(self._url, "rb", block_size=_FETCHED))

    def read_bytes(self) -> bytes:
        """Return the bytes of a small file."""
        found: bytes = self._fs.cat_file(self._url)
        return found

    def put(self, local: Path) -> None:
        """Write a file of this machine under this name, in one piece. Raises OSError."""
        try:
            self._fs.put_file(os.fspath(local), self._url)
        except NotImplementedError:
            raise OSError(0, "this file system cannot be written to", self._url) from None

    def mkdir(self, parents: bool = False, exist_ok: bool = False) -> None:
        """Do nothing: folders are what names begin with."""

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the file."""
        if not missing_ok or self.exists():
            self._fs.rm_file(self._url)

    def files(self) -> Iterator[Remote]:
        """Yield every file below, in order."""
        self._fs.invalidate_cache()
        inside = self._fs._strip_protocol(self._url)
        for name in sorted(self._fs.find(self._url)):
            yield self / name.removeprefix(inside).lstrip("/")

    def remove_all(self) -> None:
        """Remove everything below."""
        if self.exists():
            self._fs.rm(self._url, recursive=True)


def remove_all(folder: Path) -> None:
    """Remove a folder with all that is in it, here or elsewhere; nothing where there is none."""
    if isinstance(folder, Remote):
        folder.remove_all()
    else:
        shutil.rmtree(folder, ignore_errors=True)


def names_in(folder: Path) -> set[str]:
    """Return the names of the files in a folder, by one listing; none where there is no folder."""
    if isinstance(folder, Remote):
        return {found.name for found in folder.files()}
    return {entry.name for entry in os.scandir(folder)} if folder.is_dir() else set()


def size_of(path: Path) -> int:
    """Return the bytes of a file."""
    return path.size() if isinstance(path, Remote) else path.stat().st_size


def state_of(path: Path) -> State | None:
    """Return what shows that a file was written to or replaced, None where there is none.

    Of a file of this machine the time of the last change of its entry is part of it, which no program can set.
    """
    try:
        if isinstance(path, Remote):
            return path.state()
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_ino, found.st_mtime_ns, found.st_ctime_ns


def _file_system(url: str) -> Any:
    try:
        import fsspec
        from fsspec.registry import known_implementations
    except ImportError:
        raise MissingExtra.of("remote", "fsspec") from None
    scheme = url.partition("://")[0].lower()
    known = {*known_implementations, *fsspec.available_protocols()}
    if scheme not in known:
        raise MigrationError(f"unknown scheme {scheme!r}", path=url, hint=suggest(scheme, known))
    try:
        return fsspec.filesystem(scheme, use_listings_cache=False)
    except (ImportError, ValueError) as error:
        raise MissingExtra(f"{scheme}:// needs a further package: {error}") from None
