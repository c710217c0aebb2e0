"""The layouts there are: derived from the modules of this folder, never listed twice."""

from __future__ import annotations

import pkgutil
from functools import lru_cache
from importlib import import_module
from pathlib import Path

from ...errors import MigrationError
from ...suggest import list_known, suggest
from .model import Layout, Source


@lru_cache(maxsize=1)
def layouts() -> dict[str, Layout]:
    """Return every layout by name, in the order in which a file is asked about.

    >>> list(layouts())[0], list(layouts())[-1]
    ('prompty', 'text')
    """
    package = __name__.rpartition(".")[0]
    names = sorted(info.name for info in pkgutil.iter_modules([str(Path(__file__).parent)]))
    modules = [import_module(f"{package}.{name}") for name in names if name != "registry"]
    found: list[Layout] = [module.LAYOUT for module in modules if hasattr(module, "LAYOUT")]
    return {layout.name: layout for layout in sorted(found, key=lambda layout: (layout.rank, layout.name))}


def certain_layout(source: Source) -> Layout | None:
    """Return the layout that a file is of without doubt, or None."""
    return next((layout for layout in layouts().values() if layout.is_certain(source)), None)


def layout_for(source: Source) -> Layout:
    """Return the layout that a file is in, by its name and then by its content.

    Raises MigrationError for a JSON or YAML file of no known shape.
    """
    found = certain_layout(source) or next((x for x in layouts().values() if x.is_likely(source)), None)
    if found is not None:
        return found
    if source.name.endswith((".json", ".yaml", ".yml")):
        source.value  # noqa: B018 - a file that does not parse says so
    raise MigrationError(
        "no known layout of templates", path=source.filename, hint=f"name one; {list_known(layouts())}"
    )


def layout_named(name: str) -> Layout:
    """Return a layout by its name. Raises MigrationError."""
    if name not in layouts():
        raise MigrationError(f"there is no layout {name!r}", hint=suggest(name, layouts()))
    return layouts()[name]
