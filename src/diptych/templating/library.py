"""Where a program gets its templates: a library of folders, packages and mappings, or one file.

Rule: a library finds a text, compiles it once, and gives every template the same caps and filters.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..errors import TemplateError, TemplateNotFound
from ..sandbox import DEFAULT_LIMITS, Limits
from ..views.card import Card, Table
from ..views.shown import Shown
from .engine import Engine
from .sources import FolderSource, Found, Source, make_source
from .template import Template

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


class Library(Shown):
    """Templates by name, from folders, packages (``"package:folder"``) or mappings.

    A root can also be a module or an ``importlib.resources`` folder. Several roots are
    searched in order. Names never leave their root. ``limits`` caps what a render of any of
    them may cost; ``media`` is the folder of images, audio and files that are given by their
    paths. Raises TemplateNotFound for a folder or package that does not exist; no package is imported.

    >>> lib = Library({"greet": "Hello {{ name }}!"})
    >>> lib["greet"].render(name="Ann").prompt
    'Hello Ann!'
    """

    def __init__(
        self,
        *roots: str | os.PathLike[str] | Mapping[str, str] | ModuleType | Traversable | list[Any] | tuple[Any, ...],
        filters: Mapping[str, Callable[..., Any]] | None = None,
        globals: Mapping[str, Any] | None = None,
        limits: Limits = DEFAULT_LIMITS,
        media: str | os.PathLike[str] | None = None,
    ) -> None:
        flat = [item for root in roots for item in (root if isinstance(root, list | tuple) else [root])]
        self._sources = [make_source(root) for root in flat]
        self._engine = Engine(self, filters=filters, globals=globals, media=media)
        self._limits = limits
        self._templates: dict[tuple[str, str], Template] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled_library, (self._sources, *self._engine.extras, self._limits, self._engine.media)

    @property
    def engine(self) -> Engine:
        """What compiles the templates."""
        return self._engine

    @property
    def limits(self) -> Limits:
        """The caps on a render of any template."""
        return self._limits

    def from_text(self, text: str, *, name: str, file: str, tree: Any = None) -> Template:
        """Return the template of a text as if it stood in the library; ``file`` is its name in messages.

        ``tree`` is the syntax tree of the body, where it is known.
        """
        compiled = self._engine.load(Found(name, file, text, text), self._limits, tree=tree)
        return Template(self._engine, compiled, self._limits)

    def find(self, name: str) -> Found | None:
        """Return the first template of exactly that name among the roots."""
        return next((found for source in self._sources if (found := source.find(name))), None)

    def names(self) -> Iterator[str]:
        """Yield the name of every template, each once."""
        yield from dict.fromkeys(name for source in self._sources for name in source.names())

    def __getitem__(self, name: str) -> Template:
        found = self._engine.find(name)
        key = (found.name, found.text)
        template = self._templates.get(key)
        if template is None:
            template = self._templates[key] = Template(
                self._engine, self._engine.load(found, self._limits), self._limits
            )
        return template

    def __contains__(self, name: object) -> bool:
        try:
            self._engine.find(name)  # type: ignore[arg-type]
        except TemplateNotFound:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return self.names()

    def __len__(self) -> int:
        return sum(1 for _ in self.names())

    def _card(self) -> Card:
        names = [*self.names()]
        return Card("Templates", {"templates": len(names)}, [Table("", ("name", "description"), self._rows(names))])

    def _rows(self, names: list[str]) -> list[tuple[str, str | None]]:
        return [(name, self._described(name)) for name in names]

    def _described(self, name: str) -> str | None:
        try:
            return self[name].description
        except TemplateError as error:
            return f"{type(error).__name__}: {error.message}"

    def filter(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Register a function as a filter under its own name; usable as a decorator."""
        self._engine.add_filter(function.__name__, function)
        self._templates.clear()
        return function


def _unpickled_library(sources: list[Source], filters: Any, globals: Any, limits: Limits, media: Any) -> Library:
    library = Library(filters=filters, globals=globals, limits=limits, media=media)
    library._sources = sources
    return library


def load(
    path: str | os.PathLike[str],
    *,
    filters: Mapping[str, Callable[..., Any]] | None = None,
    globals: Mapping[str, Any] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    media: str | os.PathLike[str] | None = None,
) -> Template:
    """Load one template file; its folder is the library of its includes.

    ``limits`` caps what it may cost; ``media`` is the folder of media that are given by their paths.
    Raises TemplateNotFound, TemplateSyntaxError, and ResourceLimit for a source over its cap.

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "greet.jinja"
    >>> _ = file.write_text("Hello {{ name }}")
    >>> load(file).render(name="Ann").prompt
    'Hello Ann'
    """
    if not isinstance(path, str | os.PathLike):
        raise TemplateNotFound(f"a template file has a path, not a {type(path).__name__}")
    file = Path(path)
    if not file.is_file():
        raise TemplateNotFound(f"there is no file {os.fspath(path)!r}")
    parent = file.parent
    shown = parent.as_posix() if parent != Path(".") else None
    engine = Engine(FolderSource(parent, shown), filters=filters, globals=globals, media=media)
    found = FolderSource(parent, shown).find(file.name)
    if found is None:
        raise TemplateNotFound(f"{os.fspath(path)!r} cannot be read")
    return Template(engine, engine.load(found, limits), limits)
