"""The formats there are: derived from the files of their folders, never listed twice."""

from __future__ import annotations

import difflib
import pkgutil
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from ..errors import FormatError
from ..format import Format, Kind
from ..text.grammar import Grammar


def modules() -> Iterator[tuple[str, ModuleType]]:
    """Yield every module that holds formats, with the short name of its page in the documentation."""
    for folder, inside in _FOLDERS:
        package = import_module(folder)
        for name in sorted(info.name for info in pkgutil.iter_modules(package.__path__) if info.ispkg == bool(inside)):
            if not inside or find_spec(f"{folder}.{name}{inside}"):
                yield name, import_module(f"{folder}.{name}{inside}")


def grammars_in(module: ModuleType) -> tuple[Grammar, ...]:
    """Return the text grammars that a module exposes as ``GRAMMAR`` or ``GRAMMARS``."""
    return tuple(getattr(module, "GRAMMARS", None) or filter(None, [getattr(module, "GRAMMAR", None)]))


def formats_in(module: ModuleType) -> tuple[Format, ...]:
    """Return the formats that a module exposes as ``FORMAT`` or ``FORMATS``."""
    return tuple(getattr(module, "FORMATS", None) or filter(None, [getattr(module, "FORMAT", None)]))


@lru_cache(maxsize=1)
def _entries() -> tuple[dict[str, Format], dict[str, Grammar]]:
    formats: dict[str, Format] = {}
    grammars: dict[str, Grammar] = {}
    files: dict[str, str] = {}
    for _, module in modules():
        file = module.__file__ or module.__name__
        ours = {entry.name: entry for entry in formats_in(module)}
        texts = {grammar.name: grammar for grammar in grammars_in(module)}
        for name in (*ours, *texts):
            if (other := files.setdefault(name, file)) != file:
                raise FormatError(f"the format {name!r} stands in two files: {other} and {file}")
        formats |= ours
        grammars |= texts
    return formats, grammars


#: The folders whose modules are formats; of an API's folder its module ``messages``.
_FOLDERS = (("diptych.text.grammars", ""), ("diptych.apis", ".messages"), ("diptych.datasets", ""))


def grammar_of(name: str) -> Grammar:
    """Return the grammar of a text format. Raises FormatError with a did-you-mean."""
    grammars = _entries()[1]
    if found := grammars.get(name):
        return found
    wanted = _folded(name)
    for grammar in grammars.values():
        if wanted in map(_folded, (grammar.name, *grammar.aliases)):
            return grammar
    raise _unknown(name, list(grammars), "text format")


def _folded(name: str) -> str:
    """Return a name as it is compared: ``Llama-3`` and ``llama3`` are one."""
    return "".join(c for c in name.casefold() if c.isalnum())


def grammars() -> dict[str, Grammar]:
    """Return every text grammar by name."""
    return dict(_entries()[1])


@lru_cache(maxsize=1)
def list_formats() -> tuple[Format, ...]:
    """Return every format there is, sorted by name: name, kind, direction, mapping.

    >>> [f.name for f in list_formats() if f.kind == "text"][:2]
    ['alpaca', 'chatml']
    """
    from ..datasets.rows import judged
    from ..text.reading import text_format

    texts = {grammar.name: text_format(grammar) for grammar in _entries()[1].values()}
    return tuple(sorted(map(judged, {**texts, **_entries()[0]}.values()), key=lambda entry: entry.name))


@lru_cache(maxsize=256)
def get(name: str, kind: Kind | None = None) -> Format:
    """Return the format of that name or alias. Raises FormatError with a did-you-mean.

    Where several have it, that of ``kind`` wins (``alpaca`` is a text format, and as a
    ``dataset`` a row); without a kind a data set's alias comes last.

    >>> get("alpaca").name, get("alpaca", "dataset").name
    ('alpaca', 'alpaca_row')
    """
    entries, wanted = list_formats(), _folded(name)
    found = [entry for entry in entries if name == entry.name or wanted in map(_folded, (entry.name, *entry.aliases))]
    if not found:
        raise _unknown(name, [entry.name for entry in entries if kind in (None, entry.kind)], "format")

    def order(entry: Format) -> tuple[bool, ...]:
        is_named = wanted == _folded(entry.name)
        return (kind is not None and entry.kind != kind, entry.name != name, not is_named, entry.kind == "dataset")

    return min(found, key=order)


def _unknown(name: str, known: list[str], what: str) -> FormatError:
    close = difflib.get_close_matches(name, known, 1, 0.5)
    hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sorted(known))}"
    return FormatError(f"there is no {what} {name!r}", hint=hint)
