"""Which files of a folder are the project's own: the one search of folders.

Left out are what ``.gitignore`` and ``exclude`` name, hidden files and folders, virtual
environments, installed packages and caches. Patterns follow Git's rules (gitignore(5)): the
last one that matches decides, a deeper file over one above, and nothing inside a folder that is
left out comes back. A file that is named is always taken.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from .config import find_file
from .errors import DiptychError

#: Folders that hold what was installed or cached.
NEVER: Final = frozenset({"node_modules", "__pycache__", "site-packages"})
#: Folders that usually hold other people's code or what tools made.
VENDORED: Final = frozenset({"build", "dist", "venv", "env", "vendor", "_vendor", "third_party"})
#: Files that mark a virtual environment and a cache.
_MARKS: Final = ("pyvenv.cfg", "CACHEDIR.TAG")
_CLASSES: Final = {
    "alnum": "a-zA-Z0-9", "alpha": "a-zA-Z", "blank": r" \t", "digit": "0-9", "lower": "a-z", "space": r"\s",
    "upper": "A-Z", "xdigit": "0-9a-fA-F", "punct": r"!-/:-@\[-`{-~",
}  # fmt: skip


class Pattern(NamedTuple):
    """A line of a ``.gitignore``: what it matches below ``base``, and whether it takes back in.

    ``prefix`` is the way from the pattern's folder down to ``base``, where that is below it.
    """

    base: Path
    regex: re.Pattern[str]
    takes_in: bool
    folders_only: bool
    prefix: str = ""

    def matches(self, path: Path, *, is_folder: bool) -> bool:
        """Tell whether the pattern is of this path."""
        if self.folders_only and not is_folder:
            return False
        try:
            inside = path.relative_to(self.base).as_posix()
        except ValueError:
            return False
        return self.regex.fullmatch(self.prefix + inside) is not None


def iter_paths(
    paths: Iterable[str | os.PathLike[str]], endings: Sequence[str] = ("",), *, ignore: bool = True
) -> Iterator[Path]:
    """Yield the files that are named, whatever their names, and of folders those of :func:`iter_files`."""
    for name in paths:
        path = Path(name)
        yield from iter_files(path, endings, ignore=ignore) if path.is_dir() else [path]


def iter_files(root: Path, endings: Sequence[str] = ("",), *, ignore: bool = True) -> Iterator[Path]:
    """Yield the project's own files under a folder whose names end so, in a fixed order.

    Without ``ignore`` no pattern counts and folders of :data:`VENDORED` are searched; those of
    :data:`NEVER` and hidden ones are not. Links are followed to files below ``root`` only.
    Raises ConfigError for a configuration that cannot be read.
    """
    search = _Search(tuple(endings), root.resolve(), ignore)
    yield from search.inside(root, [*_excludes(root), *_above(root)] if ignore else [])


class _Search(NamedTuple):
    endings: tuple[str, ...]
    root: Path
    ignore: bool

    def inside(self, folder: Path, patterns: list[Pattern]) -> Iterator[Path]:
        if self.ignore:
            patterns = [*patterns, *read_patterns(folder / ".gitignore", folder)]
        for entry in _entries(folder):
            path, is_folder = folder / entry.name, entry.is_dir(follow_symlinks=False)
            if entry.name.startswith(".") or is_ignored(path, patterns, is_folder=is_folder):
                continue
            if is_folder:
                if not self._is_foreign(path):
                    yield from self.inside(path, patterns)
            elif entry.name.endswith(self.endings) and _is_file(entry) and self._is_below(entry, path):
                yield path

    def _is_below(self, entry: os.DirEntry[str], path: Path) -> bool:
        """Tell whether a link stays in the folder."""
        return not entry.is_symlink() or path.resolve().is_relative_to(self.root)

    def _is_foreign(self, folder: Path) -> bool:
        names = NEVER | VENDORED if self.ignore else NEVER
        is_named = folder.name in names or folder.name.endswith(".egg-info")
        return is_named or any((folder / mark).exists() for mark in _MARKS)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise DiptychError(f"the folder cannot be read: {error.strerror}", path=os.fspath(folder)) from None


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link that leads to itself
        return False


def is_ignored(path: Path, patterns: Sequence[Pattern], *, is_folder: bool) -> bool:
    """Tell what the last matching pattern says of a path; the folders above it are not looked at."""
    for pattern in reversed(patterns):
        if pattern.matches(path, is_folder=is_folder):
            return not pattern.takes_in
    return False


# patterns ----------------------------------------------------------------------------------------


def read_patterns(file: Path, base: Path) -> list[Pattern]:
    """Return the patterns of a ``.gitignore``; none where there is no such file."""
    try:
        text = file.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return []
    return [
        found for line in text.removeprefix("\ufeff").split("\n") if (found := parse_pattern(line, base)) is not None
    ]


def parse_pattern(line: str, base: Path) -> Pattern | None:
    r"""Return a line of a ``.gitignore`` as a pattern, None for a comment or nothing.

    >>> parse_pattern("# comment", Path(".")) is None
    True
    >>> parse_pattern("*.log", Path("a")).matches(Path("a/b/x.log"), is_folder=False)
    True
    """
    line = line.removesuffix("\r")
    if line.startswith("#"):
        return None
    line = _without_trailing_spaces(line)
    takes_in = line.startswith("!")
    line = line[1:] if takes_in else line
    folders_only = line.endswith("/")
    line = line[:-1] if folders_only else line
    if not line:
        return None
    anchored = "/" in line
    regex = _regex(line.removeprefix("/")) if anchored else None
    if not anchored:
        inner = _regex(line)
        regex = None if inner is None else rf"(?:.*/)?{inner}"
    return None if regex is None else Pattern(base, re.compile(regex, re.DOTALL), takes_in, folders_only)


def _without_trailing_spaces(line: str) -> str:
    stripped = line.rstrip(" ")
    if stripped == line:
        return line
    slashes = len(stripped) - len(stripped.rstrip("\\"))
    return stripped + " " if slashes % 2 else stripped


def _regex(pattern: str) -> str | None:
    """Return a glob as a regular expression, None for one that matches nothing."""
    out, at = [], 0
    while at < len(pattern):
        character = pattern[at]
        if character == "*":
            stars = len(pattern[at:]) - len(pattern[at:].lstrip("*"))
            before, after = pattern[at - 1 : at], pattern[at + stars : at + stars + 1]
            if stars == 2 and before in ("", "/") and after in ("", "/"):
                at += stars
                if after == "/":
                    out.append("(?:.*/)?")
                    at += 1
                else:
                    out.append(".+" if before else ".*")
                continue
            out.append("[^/]*")
            at += stars
        elif character == "?":
            out.append("[^/]")
            at += 1
        elif character == "[":
            found = _bracket(pattern, at)
            if found is None:
                return None
            text, at = found
            out.append(text)
        elif character == "\\":
            if at + 1 == len(pattern):
                return None
            out.append(re.escape(pattern[at + 1]))
            at += 2
        else:
            out.append(re.escape(character))
            at += 1
    return "".join(out)


def _bracket(pattern: str, start: int) -> tuple[str, int] | None:
    """Return a bracket expression as a regular expression, and where it ends."""
    at = start + 1
    negated = pattern[at : at + 1] in ("!", "^")
    at += negated
    parts: list[str] = []
    first = True
    while at < len(pattern) and (first or pattern[at] != "]"):
        first = False
        if pattern.startswith("[:", at) and (end := pattern.find(":]", at)) > 0:
            name = pattern[at + 2 : end]
            if name not in _CLASSES:
                return None
            parts.append(_CLASSES[name])
            at = end + 2
            continue
        low, at = _one(pattern, at)
        if pattern[at : at + 1] == "-" and pattern[at + 1 : at + 2] not in ("", "]"):
            high, at = _one(pattern, at + 1)
            if low <= high:
                parts.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            parts.append(re.escape(low))
    if at >= len(pattern):
        return None
    inner = "".join(parts)
    if not inner:
        return ("[^/]" if negated else r"(?!)"), at + 1
    return f"(?!/)[{'^' if negated else ''}{inner}]", at + 1


def _one(pattern: str, at: int) -> tuple[str, int]:
    if pattern[at] == "\\" and at + 1 < len(pattern):
        return pattern[at + 1], at + 2
    return pattern[at], at + 1


# what stands above -----------------------------------------------------------------------------------


def _above(root: Path) -> list[Pattern]:
    """Return the patterns of the folders above, up to the checkout's, the highest first."""
    chain = [root.resolve(), *root.resolve().parents]
    top = next((number for number, folder in enumerate(chain) if (folder / ".git").exists()), 0)
    # Patterns are anchored where their file stands; paths are told as they were given.
    found = _seen_from(read_patterns(chain[top] / ".git" / "info" / "exclude", chain[top]), root)
    for folder in reversed(chain[1 : top + 1]):
        found += _seen_from(read_patterns(folder / ".gitignore", folder), root)
    return found


def _seen_from(patterns: list[Pattern], root: Path) -> list[Pattern]:
    """Return patterns of a folder above as patterns of paths below ``root``, as it is written."""
    real = root.resolve()
    found = []
    for pattern in patterns:
        way = real.relative_to(pattern.base).as_posix()
        found.append(pattern._replace(base=root, prefix="" if way == "." else f"{way}/"))
    return found


def _excludes(root: Path) -> list[Pattern]:
    """Return the patterns of ``exclude`` in the configuration file."""
    file = find_file(root)
    if file is None:
        return []
    found = [parse_pattern(line, file.path.parent) for line in file.values.get("exclude", ())]
    return _seen_from([pattern for pattern in found if pattern is not None], root)
