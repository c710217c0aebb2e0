"""The line length of a project, as its formatter is told."""

from __future__ import annotations

import configparser
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

#: What ruff and black take where nothing is said.
DEFAULT_WIDTH: Final = 88
_RUFF: Final = ("ruff.toml", ".ruff.toml")
_INI: Final = ("setup.cfg", "tox.ini", ".flake8")


@lru_cache(maxsize=4096)
def width_of(folder: Path) -> int:
    """Return the line length that the nearest settings of ruff, black or flake8 name, of a folder or above.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "pyproject.toml").write_text("[tool.black]\\nline-length = 100")
    >>> width_of(folder)
    100
    """
    found = next((width for read in (_of_toml, _of_ini) if (width := read(folder)) is not None), None)
    if found is not None:
        return found
    is_root = folder.parent == folder or (folder / ".git").exists()
    return DEFAULT_WIDTH if is_root else width_of(folder.parent)


def _of_toml(folder: Path) -> int | None:
    for name in _RUFF:
        if isinstance(width := _toml(folder / name).get("line-length"), int):
            return width
    tools = _toml(folder / "pyproject.toml").get("tool", {})
    for tool in ("ruff", "black"):
        section = tools.get(tool) if isinstance(tools, dict) else None
        if isinstance(section, dict) and isinstance(width := section.get("line-length"), int):
            return width
    return None


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def _of_ini(folder: Path) -> int | None:
    for name in _INI:
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read_string((folder / name).read_text("utf-8"))
        except (OSError, ValueError, configparser.Error):
            continue
        for key in ("max-line-length", "max_line_length"):
            if (said := parser.get("flake8", key, fallback="")).isdigit():
                return int(said)
    return None
