"""Where templates come from: folders, packages and mappings, none of them left.

Rule: a name is a relative path of plain segments. ``..``, absolute paths, drive
letters, schemes, ``~``, NUL and backslash are refused before anything is opened,
and a link that leads out of the root is refused after it is resolved.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Iterator, Mapping
from importlib.machinery import ModuleSpec
from importlib.resources.abc import Traversable, TraversableResources
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, Protocol, runtime_checkable

from ..errors import TemplateNotFound
from ..walk import iter_files

SUFFIXES = (".jinja", ".jinja2", ".j2")
#: ``package:folder``.
_PACKAGE = re.compile(r"([^\W\d]\w*(?:\.[^\W\d]\w*)*):([^:\\/][^:\\]*)")


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


@runtime_checkable
class _ReadsResources(Protocol):
    """A loader that can open the files of its packages."""

    def get_resource_reader(self, name: str, /) -> Any: ...


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
        # A library holds what can be found by name, ignored or not.
        for path in iter_files(self._root, SUFFIXES, ignore=False):
            yield path.relative_to(self._root).as_posix()


class MappingSource:
    """Templates in a mapping of names to sources."""

    def __init__(self, mapping: Mapping[str, str]) -> None:
        for name, text in mapping.items():
            if not isinstance(name, str) or not isinstance(text, str):
                kind = type(name if not isinstance(name, str) else text).__name__
                raise TemplateNotFound(f"a mapping of templates has names and texts, not a {kind} ({name!r:.40})")
        self._mapping = mapping

    def find(self, name: str) -> Found | None:
        text = self._mapping.get(name)
        return None if text is None else Found(name, name, text, text)

    def names(self) -> Iterator[str]:
        yield from self._mapping


class PackageSource:
    """Templates in an installed package: ``"package:folder"``, a module, or a ``Traversable``.

    A package is found, never imported: finding templates runs none of its code.
    """

    def __init__(self, root: Any, *, named: tuple[str, str] | None = None) -> None:
        self._root, self._named = root, named
        # A package on disk is a folder, with the same watch over links.
        self._folder = FolderSource(root) if isinstance(root, Path) else None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle a package by its name: a zip file's folder holds an open file."""
        return (_package_source, self._named) if self._named else (PackageSource, (self._root,))

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
    """Return the source of a folder, a ``package:folder``, a mapping, a module or a ``Traversable``.

    A text without a colon is a folder and nothing else. Raises TemplateNotFound where
    there is no such folder or package.
    """
    if isinstance(root, Mapping):
        return MappingSource(root)
    if isinstance(root, ModuleType):
        return PackageSource(_roots_of(root.__spec__, root.__name__)[0])
    if isinstance(root, str | os.PathLike):
        return _source_at(root)
    if isinstance(root, Traversable):
        return PackageSource(root)
    raise TemplateNotFound(
        f"a library cannot be made of a {type(root).__name__}",
        hint="give a folder, 'package:folder', a module, or a mapping of names to sources",
    )


def _source_at(root: str | os.PathLike[str]) -> Source:
    """Return the source of a folder, or else of a package where the text has its form."""
    path, shown = Path(root), os.fspath(root)
    if path.is_dir():
        return FolderSource(path, None if path.is_absolute() else path.as_posix())
    if isinstance(root, str) and (found := _PACKAGE.fullmatch(root)):
        return _package_source(found[1], found[2])
    if path.is_file():
        raise TemplateNotFound(f"{shown!r} is a file, not a folder", hint=f"load one template with load({shown!r})")
    where = "" if path.is_absolute() else f" in {os.getcwd()!r}"
    raise TemplateNotFound(
        f"there is no folder {shown!r}{where}",
        hint="give a folder that exists, or 'package:folder' for a folder in an installed package",
    )


# packages --------------------------------------------------------------------------------


def _package_source(package: str, folder: str) -> PackageSource:
    return PackageSource(_package_folder(package, folder), named=(package, folder))


def _package_folder(package: str, folder: str) -> Any:
    """Return the folder of a package. Raises TemplateNotFound where there is none.

    Only the topmost package is looked up: a dotted name leads through its folders.
    """
    top, *inner = [package] if package in sys.modules else package.split(".")
    segments = [check_name(segment) for segment in (*inner, *folder.rstrip("/").split("/"))]
    for node in _roots_of(_find_spec(top), top):
        for segment in segments:
            node = node.joinpath(segment)
        if node.is_dir():
            return node
    raise TemplateNotFound(f"the package {top!r} has no folder {'/'.join(segments)!r}")


def _find_spec(package: str) -> ModuleSpec | None:
    """Return where a package is, as an import would find it, without importing it."""
    try:
        return importlib.util.find_spec(package)
    except (ImportError, ValueError):  # no parent; a module made by hand has no spec
        return None


def _roots_of(spec: ModuleSpec | None, package: str) -> list[Any]:
    """Return the folders of a package as ``Traversable``, wherever they are kept: a namespace has several."""
    if spec is None:
        raise TemplateNotFound(f"there is no package {package!r}", hint="install it, or give a folder")
    if spec.submodule_search_locations is None:
        raise TemplateNotFound(f"{package!r} is a module, not a package: it has no folders")
    if folders := [path for path in map(Path, spec.submodule_search_locations) if path.is_dir()]:
        return folders
    if isinstance(spec.loader, _ReadsResources):  # in a zip file, for one
        reader = spec.loader.get_resource_reader(spec.name)
        if isinstance(reader, TraversableResources):
            return [reader.files()]
    raise TemplateNotFound(f"the files of the package {package!r} cannot be read")
