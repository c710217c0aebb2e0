"""The text grammars there are: one file per family in ``grammars``; the folder is the registry.

The only module that turns the name of a text format into its grammar. What others register
(:func:`register`) stands beside the built-in ones, which win.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Final, TypeVar

from ..errors import FormatError
from ..registered import broken, brought
from ..suggest import suggest
from .grammar import Grammar

FOLDER: Final = "diptych.text.grammars"
Named = TypeVar("Named")


def modules(folder: str = FOLDER) -> Iterator[tuple[str, ModuleType]]:
    """Yield the modules of a folder of formats, with their short names."""
    package = import_module(folder)
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        if not info.ispkg:
            yield info.name, import_module(f"{folder}.{info.name}")


def grammars_in(module: ModuleType) -> tuple[Grammar, ...]:
    """Return the text grammars that a module exposes as ``GRAMMAR`` or ``GRAMMARS``."""
    return tuple(getattr(module, "GRAMMARS", None) or filter(None, [getattr(module, "GRAMMAR", None)]))


def by_name(
    modules: Iterable[ModuleType], inside: Callable[[ModuleType], Iterable[Named]], name_of: Callable[[Named], str]
) -> dict[str, Named]:
    """Return what modules hold, by name. Raises FormatError, naming both files, where two have one name."""
    found: dict[str, Named] = {}
    files: dict[str, str] = {}
    for module in modules:
        for entry in inside(module):
            name = name_of(entry)
            if name in found:
                raise FormatError(f"two files define the format {name!r}: {files[name]} and {module.__name__}")
            found[name], files[name] = entry, module.__name__
    return found


@lru_cache(maxsize=1)
def grammars() -> dict[str, Grammar]:
    """Return every built-in text grammar by name."""
    return by_name((module for _, module in modules()), grammars_in, lambda grammar: grammar.name)


def brought_grammars() -> dict[str, Grammar]:
    """Return the grammars that others brought. A name that is taken is left out: see ``conversion.registry``."""
    found: dict[str, Grammar] = {}
    for value, _ in brought():
        if isinstance(value, Grammar) and value.name not in grammars():
            found.setdefault(value.name, value)
    return found


def grammar_of(name: str | Grammar) -> Grammar:
    """Return the grammar of a text format; a grammar is its own. Raises FormatError with a did-you-mean."""
    if isinstance(name, Grammar):
        return name
    name = name.removeprefix("text:")
    if found := grammars().get(name) or _named(name, grammars()) or _named(name, brought_grammars()):
        return found
    raise unknown(name, [*grammars(), *brought_grammars()], "text format", *broken().values())


def _named(name: str, known: dict[str, Grammar]) -> Grammar | None:
    wanted = folded(name)
    return next((g for g in known.values() if wanted in map(folded, (g.name, *g.aliases))), None)


def folded(name: str) -> str:
    """Return a name as it is compared: ``Llama-3`` and ``llama3`` are one."""
    return "".join(c for c in name.casefold() if c.isalnum())


def unknown(name: str, known: list[str], what: str, *more: str) -> FormatError:
    """Return the error of a name that nothing has, with the closest name that something has and further hints."""
    return FormatError(f"there is no {what} {name!r}", hint="; ".join([suggest(name, known), *more]))
