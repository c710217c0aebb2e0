"""The formats there are: derived from the files of their folders, never listed twice.

Three kinds: ``text``, ``api`` and ``dataset``. A name may be qualified with its kind
(``text:chatml``); a bare name works where it means one format. What others register comes after
the built-in formats: it cannot take their names, and detection asks it last.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any, Final, get_args

from ..datasets.rows import judged
from ..errors import FormatError
from ..format import Format, Kind
from ..registered import broken as unloaded
from ..registered import brought, give
from ..text import registry as texts
from ..text.grammar import Grammar
from ..text.reading import text_format
from ..text.registry import by_name, folded, unknown
from .accounting import accounted

_APIS: Final = "diptych.apis"
_DATASETS: Final = "diptych.datasets"
KINDS: Final = get_args(Kind)


def modules() -> Iterator[tuple[str, ModuleType]]:
    """Yield every module that holds formats, with the short name of its page in the documentation."""
    yield from texts.modules()
    for info in sorted(pkgutil.iter_modules(import_module(_APIS).__path__), key=lambda info: info.name):
        if info.ispkg:
            yield info.name, import_module(f"{_APIS}.{info.name}.request")
    yield from texts.modules(_DATASETS)


def formats_in(module: ModuleType) -> tuple[Format, ...]:
    """Return the formats that a module exposes as ``FORMAT`` or ``FORMATS``."""
    return tuple(getattr(module, "FORMATS", None) or filter(None, [getattr(module, "FORMAT", None)]))


@lru_cache(maxsize=1)
def builtin() -> tuple[Format, ...]:
    """Return the built-in formats, sorted by name."""
    found = by_name((module for _, module in modules()), formats_in, qualified)
    written = {f"text:{grammar.name}": text_format(grammar) for grammar in texts.grammars().values()}
    return _sorted({**written, **found}.values())


def qualified(entry: Format) -> str:
    """Return the name of a format with its kind, which no other format has.

    >>> qualified(get("chatml"))
    'text:chatml'
    """
    return f"{entry.kind}:{entry.name}"


def _sorted(entries: Any) -> tuple[Format, ...]:
    return tuple(sorted(map(judged, entries), key=lambda entry: (entry.name, entry.kind)))


def _brought() -> tuple[Format, ...]:
    """Return the formats that others brought. Two of one name stand side by side: using that name is an error."""
    return _sorted(accounted(entry) for entry, _ in _looked_at() if isinstance(entry, Format))


def broken() -> tuple[str, ...]:
    """Return why formats that others brought cannot be used; each text names who brought it."""
    refused = [f"{by}: {entry.message}" for entry, by in _looked_at() if isinstance(entry, FormatError)]
    return (*unloaded().values(), *refused)


def _looked_at() -> Iterator[tuple[Format | FormatError, str]]:
    """Yield the entry of everything that others brought, or why it is none."""
    for value, by in brought():
        try:
            yield _entry(value), by
        except FormatError as error:
            yield error, by


def _entry(value: Any) -> Format:
    """Return the entry of a format that somebody brings. Raises FormatError for one that cannot be registered."""
    if not isinstance(value, Format | Grammar):
        raise FormatError(f"a format is a Format or a Grammar, not {type(value).__name__}")
    entry = text_format(value) if isinstance(value, Grammar) else value
    if entry.kind not in KINDS:
        raise unknown(entry.kind, list(KINDS), "kind of format")
    if entry.kind == "api" and (entry.read is None or entry.write is None):
        raise FormatError(f"the API {entry.name!r} needs a reader and a writer: each is checked against the other")
    # No data set may have the name of an API.
    kinds = (entry.kind, "api") if entry.kind == "dataset" else (entry.kind,)
    if taken := next((one for one in builtin() if one.name == entry.name and one.kind in kinds), None):
        raise FormatError(f"the name {entry.name!r} is taken: there is a built-in format {qualified(taken)}")
    return entry


def list_formats(kind: Kind | None = None) -> tuple[Format, ...]:
    """Return every format there is, sorted by name: name, kind, direction, mapping.

    ``kind`` (``text``, ``api`` or ``dataset``) names the formats that are wanted.

    >>> [f.name for f in list_formats("text")][:2]
    ['alpaca', 'apertus']
    """
    if kind not in (None, *KINDS):
        raise unknown(str(kind), list(KINDS), "kind of format")
    return tuple(entry for entry in (*builtin(), *_brought()) if kind in (None, entry.kind))


def register(*formats: Format | Grammar) -> None:
    """Add text grammars, message APIs or data-set formats for the rest of the process.

    Each is a :class:`~diptych.text.grammar.Grammar` or a :class:`~diptych.format.Format`. A
    distribution does the same with an entry point of the group ``diptych.formats``. Raises
    FormatError for a name that a format has already, and for a message API without a reader or
    a writer: each is checked against the other.

    >>> from diptych.text.registry import grammar_of
    >>> register(grammar_of("chatml").variant("chatml-example"))
    >>> get("text:chatml-example").kind
    'text'
    """
    for value in formats:
        entry = _entry(value)
        if any(qualified(entry) == qualified(other) for other in _brought()):
            raise FormatError(f"the name {entry.name!r} is taken: {qualified(entry)} is registered already")
        give(value)


def get(name: str, kind: Kind | None = None) -> Format:
    """Return the format of that name or alias. Raises FormatError with a did-you-mean.

    ``name`` may say the kind (``dataset:alpaca``); ``kind`` is the kind that wins where several
    formats have the name. Else a format's own name comes before aliases, and the alias of a data
    set last; a name that is still ambiguous is an error that lists the formats.

    >>> get("alpaca").name, get("dataset:alpaca").name
    ('alpaca', 'alpaca_row')
    """
    return _builtin(name, kind) or _find(name, kind, _brought()) or _missing(name, kind)


@lru_cache(maxsize=256)
def _builtin(name: str, kind: Kind | None) -> Format | None:
    return _find(name, kind, builtin())


def _find(name: str, kind: Kind | None, entries: tuple[Format, ...]) -> Format | None:
    prefix, colon, rest = name.partition(":")
    if colon and prefix in KINDS:
        name, entries = rest, tuple(entry for entry in entries if entry.kind == prefix)
    wanted = folded(name)
    known = [entry for entry in entries if wanted in map(folded, (entry.name, *entry.aliases))]
    best = min((_rank(entry, name, kind) for entry in known), default=())
    found = [entry for entry in known if _rank(entry, name, kind) == best]
    if len(found) > 1:
        hint = "give its kind, too: text:, api: or dataset:; the name of a distribution's format has to be its own"
        raise FormatError(f"the name {name!r} is ambiguous: {', '.join(map(qualified, found))}", hint=hint)
    return found[0] if found else None


def _rank(entry: Format, name: str, kind: Kind | None) -> tuple[bool, ...]:
    is_alias = folded(entry.name) != folded(name)
    return (
        kind is not None and entry.kind != kind,
        entry.name != name,
        is_alias,
        is_alias and entry.kind == "dataset",
    )


def _missing(name: str, kind: Kind | None) -> Format:
    raise unknown(name, [entry.name for entry in list_formats(kind)], "format", *broken())
