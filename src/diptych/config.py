"""Settings: flag > ``DIPTYCH_*`` environment > ``diptych.toml`` or ``[tool.diptych]``.

Keys: ``model``, ``base_url``, ``templates`` (a folder or a list), ``format``.
"""

from __future__ import annotations

import os
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from .errors import DiptychError

KEYS = ("model", "base_url", "templates", "format")


@lru_cache(maxsize=1)
def from_file() -> dict[str, Any]:
    """Return the settings of the nearest configuration file, of this folder or above."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        for name, keys in (("diptych.toml", ()), ("pyproject.toml", ("tool", "diptych"))):
            path = folder / name
            if path.is_file():
                table = _table(path, keys)
                if table is not None:
                    return table
    return {}


def _table(path: Path, keys: tuple[str, ...]) -> dict[str, Any] | None:
    try:
        table: Any = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DiptychError(f"{path.name} cannot be read: {error}") from None
    for key in keys:
        table = table.get(key)
        if table is None:
            return None
    return dict(table)


def setting(key: str, flag: Any = None) -> Any:
    """Return a setting: the flag if given, else the environment, else the file."""
    if flag is not None:
        return flag
    value = os.environ.get(f"DIPTYCH_{key.upper()}")
    return value if value is not None else from_file().get(key)
