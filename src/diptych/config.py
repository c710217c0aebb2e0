"""Settings: flag > ``DIPTYCH_*`` environment > configuration file > ``OPENAI_*`` environment.

The file is the nearest one, of the folder or above: ``diptych.toml``, or ``pyproject.toml``
with a table ``[tool.diptych]``. :data:`SETTINGS` is the one table: a key that is not in it
is an error.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from .errors import ConfigError
from .suggest import suggest


class Setting(NamedTuple):
    """One setting: ``variable`` stands above the file, ``fallback`` below it."""

    name: str
    kind: Literal["text", "folders", "patterns"]
    doc: str
    variable: str | None = None
    fallback: str | None = None
    is_secret: bool = False


SETTINGS: Final = (
    Setting("model", "text", "The model where no flag, template or request names one.", "DIPTYCH_MODEL"),
    Setting(
        "base_url", "text", "The server that requests are sent to.", "DIPTYCH_BASE_URL", fallback="OPENAI_BASE_URL"
    ),
    Setting("api_key", "text", "The server's key; never read from a file.", fallback="OPENAI_API_KEY", is_secret=True),
    Setting("templates", "folders", "Folders of templates, searched first.", "DIPTYCH_TEMPLATES"),
    Setting("format", "text", "The text format that prompts are written in.", "DIPTYCH_FORMAT"),
    Setting("exclude", "patterns", "Files that searches leave out: patterns as in .gitignore."),
)
_BY_NAME: Final = {setting.name: setting for setting in SETTINGS}
_IN_FILES: Final = {setting.name: setting for setting in SETTINGS if not setting.is_secret}
#: The files that may hold settings, and the table in each.
_FILES: Final = (("diptych.toml", ""), ("pyproject.toml", "tool.diptych"))
_PLACE: Final = re.compile(r"\(at line (\d+), column (\d+)\)")
_TYPES: Final = {
    "text": "a string",
    "folders": "a string or a list of strings",
    "patterns": "a list of strings",
}


class ConfigFile(NamedTuple):
    """The settings of one file and the line of each; folders are a list."""

    path: Path
    values: dict[str, Any]
    lines: dict[str, int]


class InForce(NamedTuple):
    """The value of a setting and where it comes from; a secret's value is not shown."""

    name: str
    value: Any
    origin: str


def find_file(folder: Path) -> ConfigFile | None:
    """Return the configuration file of a folder: the nearest, its own or above.

    Raises ConfigError where it cannot be read, or holds what is not a setting.
    """
    real = folder.resolve()
    for parent in (real, *real.parents):
        for name, table in _FILES:
            if (parent / name).is_file() and (found := _read(parent / name, table)) is not None:
                return found
    return None


def setting(name: str, flag: Any = None) -> Any:
    """Return the value of a setting, None where there is none.

    An empty variable means none, whatever the file says. Raises ConfigError as :func:`find_file`.
    """
    return _resolve(_BY_NAME[name], flag)[0]


def fallback(name: str) -> str | None:
    """Return a setting from its ``OPENAI_*`` variable alone, None where that is empty or not set."""
    return os.environ.get(_BY_NAME[name].fallback or "") or None


def in_force(flags: Mapping[str, Any] | None = None) -> list[InForce]:
    """Return every setting with its value and its origin, for people to look at.

    >>> [entry.name for entry in in_force({"model": "gpt-4o"}) if entry.origin == "flag"]
    ['model']
    """
    found = []
    for entry in SETTINGS:
        value, origin = _resolve(entry, (flags or {}).get(entry.name))
        found.append(InForce(entry.name, "(set)" if entry.is_secret and value else value, origin))
    return found


def _resolve(entry: Setting, flag: Any) -> tuple[Any, str]:
    """Return the value of a setting and its origin."""
    if flag is not None:
        return flag, "flag"
    if entry.variable is not None and (given := os.environ.get(entry.variable)) is not None:
        return (given.split(os.pathsep) if entry.kind == "folders" and given else given or None), entry.variable
    file = find_file(Path.cwd())
    if file is not None and entry.name in file.values:
        return _from_here(entry.name, file), f"{file.path}:{file.lines[entry.name]}"
    value = fallback(entry.name)
    return value, entry.fallback if value and entry.fallback else "default"


def _from_here(name: str, file: ConfigFile) -> Any:
    """Return a value of the file; folders of templates are relative to the file, and told from here."""
    value = file.values[name]
    if name != "templates":
        return value
    return [os.path.relpath(file.path.parent / one) if (file.path.parent / one).is_dir() else one for one in value]


# reading -----------------------------------------------------------------------------------------


def _read(path: Path, table: str) -> ConfigFile | None:
    import tomllib  # the client asks for variables alone

    try:
        text = path.read_text("utf-8-sig")
        found: Any = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        at = _PLACE.search(str(error))
        place = f"{path}:{at[1]}:{at[2]}" if at else str(path)
        reason = _PLACE.sub("", str(error)).strip()
        raise ConfigError(f"the configuration cannot be read: {reason}", path=place) from None
    for key in table.split(".") if table else ():
        found = found.get(key) if isinstance(found, dict) else None
    if found is None:
        return None
    if not isinstance(found, dict):
        raise ConfigError(f"{table} must be a table", path=str(path))
    lines = {key: _line_of(text, key, table) for key in found}
    return ConfigFile(path, {key: _checked(key, found[key], f"{path}:{lines[key]}") for key in found}, lines)


def _checked(name: str, value: Any, place: str) -> Any:
    """Return a value of a file in its type. Raises ConfigError for an unknown name or another type."""
    entry = _IN_FILES.get(name)
    if entry is None:
        known = _BY_NAME.get(name)
        hint = f"set {known.fallback} in the environment" if known else suggest(name, _IN_FILES)
        what = f"{name} must not stand in a file" if known else f"unknown setting {name!r}"
        raise ConfigError(what, path=place, hint=hint)
    values = value if isinstance(value, list) else [value]
    may_be = {"text": not isinstance(value, list), "folders": True, "patterns": isinstance(value, list)}
    if not may_be[entry.kind] or not all(isinstance(one, str) for one in values):
        raise ConfigError(f"{name} must be {_TYPES[entry.kind]}", path=place)
    return value if entry.kind == "text" else values


def _line_of(text: str, key: str, table: str) -> int:
    """Return the line of a key in its table; that of the table's header or 1 where it is written another way."""
    inside, header = "", 1
    for number, line in enumerate(text.split("\n"), 1):
        if found := re.match(r"\s*\[+([^\[\]]+)\]", line):
            inside = re.sub(r"[\s\"']", "", found[1])
            header = number if inside == table else header
            if inside == f"{table}.{key}".lstrip("."):
                return number
        elif inside == table and re.match(rf"\s*([\"']?){re.escape(key)}\1\s*[=.]", line):
            return number
    return header
