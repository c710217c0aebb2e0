"""Where templates come from: folders, packages and mappings, none of them left.

Rule: a name is a relative path of plain segments. ``..``, absolute paths, drive
letters, schemes, ``~``, NUL and backslash are refused before anything is opened,
and a link that leads out of the root is refused after it is resolved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ..errors import TemplateNotFound

SUFFIXES = (".jinja", ".jinja2", ".j2")


class Found(NamedTuple):
    """A template's text; ``stamp`` changes when the text may have changed."""

    name: str
    file: str
    text: str
    stamp: Any


class Source(Protocol):
    """One place that templates come from."""

    def find(self, name: str) -> Found | None:
        """Return the template of exactly that name, or None."""

    def names(self) -> Iterator[str]:
        """Yield the names of all templates."""


def check_name(name: Any) -> str:
    """Return the name if it can only stay inside of its root.

    Raises TemplateNotFound, which shows the name escaped.
    """
    if not isinstance(name, str) or not name:
        raise TemplateNotFound(f"{name!r} is not a template name")
    segments = name.split("/")
    if any(c in name for c in "\\\0:") or any(s in ("", ".", "..") or s.startswith("~") for s in segments):
        raise TemplateNotFound(
            f"{name!r} is not a template name",
            hint="a name is a path below the library's root, such as 'partials/rules.jinja'",
        )
    return name


class FolderSource:
    """Templates in a folder. ``shown`` precedes the names in messages."""

    def __init__(self, root: str | Path, shown: str | None = None) -> None:
        self._root = Path(root).resolve()
        self._shown = shown

    def find(self, name: str) -> Found | None:
        try:
            path = (self._root / name).resolve()
            if not path.is_relative_to(self._root) or not path.is_file():
                return None
            stat = path.stat()
            text = path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise TemplateNotFound(f"{name!r} is not UTF-8 text: {error.reason} at byte {error.start}") from None
        except (OSError, ValueError):
            return None
        return Found(name, f"{self._shown}/{name}" if self._shown else name, text, (stat.st_mtime_ns, stat.st_size))

    def names(self) -> Iterator[str]:
        for path in sorted(self._root.rglob("*")):
            if path.suffix in SUFFIXES and path.is_file() and path.resolve().is_relative_to(self._root):
                yield path.relative_to(self._root).as_posix()


class MappingSource:
    """Templates in a mapping of names to sources."""

    def __init__(self, mapping: Mapping[str, str]) -> None:
        self._mapping = mapping

    def find(self, name: str) -> Found | None:
        text = self._mapping.get(name)
        return None if text is None else Found(name, name, text, text)

    def names(self) -> Iterator[str]:
        yield from self._mapping


class PackageSource:
    """Templates in an installed package: ``"package"`` or ``"package:folder"``."""

    def __init__(self, reference: str) -> None:
        from importlib.resources import files

        package, _, folder = reference.partition(":")
        try:
            root: Any = files(package)
        except (ImportError, ValueError) as error:
            raise TemplateNotFound(f"there is no package {package!r}") from error
        for segment in filter(None, folder.split("/")):
            root = root / check_name(segment)
        if not root.is_dir():
            raise TemplateNotFound(f"the package {package!r} has no folder {folder!r}")
        self._root = root
        # A package on disk is a folder, with the same watch over links.
        self._folder = FolderSource(root) if isinstance(root, Path) else None

    def find(self, name: str) -> Found | None:
        if self._folder:
            return self._folder.find(name)
        node = self._root
        for segment in name.split("/"):
            node = node / segment
        return Found(name, name, node.read_text("utf-8"), 0) if node.is_file() else None

    def names(self) -> Iterator[str]:
        if self._folder:
            yield from self._folder.names()
            return
        yield from _walk(self._root, "")


def _walk(node: Any, prefix: str) -> Iterator[str]:
    for child in sorted(node.iterdir(), key=lambda c: c.name):
        if child.is_dir():
            yield from _walk(child, f"{prefix}{child.name}/")
        elif child.name.endswith(SUFFIXES):
            yield prefix + child.name


def make_source(root: Any) -> Source:
    """Return the source of a folder, a ``package:folder`` or a mapping.

    Raises TemplateNotFound where there is no such folder or package.
    """
    if isinstance(root, Mapping):
        return MappingSource(root)
    path = Path(root)
    if path.is_dir():
        return FolderSource(path, None if path.is_absolute() else path.as_posix())
    if isinstance(root, str) and root.replace(":", "").replace("/", "").replace(".", "").replace("_", "").isalnum():
        return PackageSource(root)
    raise TemplateNotFound(f"there is no folder or package {str(root)!r}", hint="give a folder that exists")
