"""The formats there are: derived from the files of their folders, never listed twice."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Final

from ..datasets.rows import judged
from ..format import Format, Kind
from ..text import registry as texts
from ..text.reading import text_format
from ..text.registry import by_name, folded, unknown

_APIS: Final = "diptych.apis"
_DATASETS: Final = "diptych.datasets"


def modules() -> Iterator[tuple[str, ModuleType]]:
    """Yield every module that holds formats, with the short name of its page in the documentation."""
    yield from texts.modules()
    for info in sorted(pkgutil.iter_modules(import_module(_APIS).__path__), key=lambda info: info.name):
        if info.ispkg and find_spec(f"{_APIS}.{info.name}.messages"):
            yield info.name, import_module(f"{_APIS}.{info.name}.messages")
    yield from texts.modules(_DATASETS)


def formats_in(module: ModuleType) -> tuple[Format, ...]:
    """Return the formats that a module exposes as ``FORMAT`` or ``FORMATS``."""
    return tuple(getattr(module, "FORMATS", None) or filter(None, [getattr(module, "FORMAT", None)]))


@lru_cache(maxsize=1)
def list_formats() -> tuple[Format, ...]:
    """Return every format there is, sorted by name: name, kind, direction, mapping.

    >>> [f.name for f in list_formats() if f.kind == "text"][:2]
    ['alpaca', 'chatml']
    """
    found = by_name((module for _, module in modules()), formats_in, lambda entry: entry.name)
    written = {grammar.name: text_format(grammar) for grammar in texts.grammars().values()}
    return tuple(sorted(map(judged, {**written, **found}.values()), key=lambda entry: entry.name))


@lru_cache(maxsize=256)
def get(name: str, kind: Kind | None = None) -> Format:
    """Return the format of that name or alias. Raises FormatError with a did-you-mean.

    Where several have it, that of ``kind`` wins (``alpaca`` is a text format, and as a
    ``dataset`` a row); without a kind a data set's alias comes last.

    >>> get("alpaca").name, get("alpaca", "dataset").name
    ('alpaca', 'alpaca_row')
    """
    entries, wanted = list_formats(), folded(name)
    found = [entry for entry in entries if name == entry.name or wanted in map(folded, (entry.name, *entry.aliases))]
    if not found:
        raise unknown(name, [entry.name for entry in entries if kind in (None, entry.kind)], "format")

    def order(entry: Format) -> tuple[bool, ...]:
        is_named = wanted == folded(entry.name)
        return (kind is not None and entry.kind != kind, entry.name != name, not is_named, entry.kind == "dataset")

    return min(found, key=order)
