"""Formats that others bring: given in a call, or as entry points of the group ``diptych.formats``.

An entry point is a grammar, a format, a tuple of them, or a module that holds ``GRAMMAR``,
``GRAMMARS``, ``FORMAT`` or ``FORMATS``. Entry points load when a name is looked up that no built-in
format has, never at import. One that cannot be loaded is kept aside with the name of its
distribution and its error; all others work.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP: Final = "diptych.formats"
_HOLDERS: Final = ("GRAMMAR", "GRAMMARS", "FORMAT", "FORMATS")


class Brought(NamedTuple):
    """A format that others brought, and who did."""

    value: Any
    by: str


#: What calls of ``register`` gave, in their order.
given: list[Brought] = []


def brought() -> tuple[Brought, ...]:
    """Return everything that others brought: what was given in calls, then the entry points."""
    return (*given, *_loaded()[0])


def give(value: Any) -> None:
    """Add a format that was given in a call."""
    given.append(Brought(value, "register()"))


def broken() -> dict[str, str]:
    """Return why an entry point could not be loaded, by its name; the text names the distribution."""
    return dict(_loaded()[1])


@lru_cache(maxsize=1)
def _loaded() -> tuple[tuple[Brought, ...], dict[str, str]]:
    from importlib.metadata import entry_points

    found: list[Brought] = []
    failed: dict[str, str] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        by = f"the distribution {point.dist.name}" if point.dist else f"the entry point {point.name}"
        try:
            found += [Brought(value, by) for value in _values(point)]
        except Exception as error:  # whatever foreign code raises: the other formats have to work
            failed[point.name] = f"{by} could not load its format {point.name!r}: {type(error).__name__}: {error}"
    return tuple(found), failed


def _values(point: EntryPoint) -> Iterator[Any]:
    value = point.load()
    held = [getattr(value, name) for name in _HOLDERS if hasattr(value, name)]
    for item in held or [value]:
        yield from item if isinstance(item, tuple | list) else (item,)
