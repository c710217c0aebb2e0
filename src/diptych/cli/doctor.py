"""``diptych doctor``: versions, extras and the configuration in force, for a person who looks for a fault."""

from __future__ import annotations

import platform
import re
import sys
from typing import Any

import typer

from .options import Json


def doctor_command(json_: Json = False) -> None:
    """Show versions, extras and the configuration in force. Exit with status 1 if something is amiss.

    diptych doctor
    """
    from .output import write_document, write_text

    found = examined()
    if json_:
        write_document(**found)
    else:
        write_text(_shown(found))
    if found["problems"]:
        raise typer.Exit(1)


def examined() -> dict[str, Any]:
    """Return what ``--json`` shows: versions, extras, settings with their origin, and what is amiss."""
    from .. import __version__
    from ..prices import default

    settings, problems = _settings()
    packages, extras = _packages()
    missing = [name for name, version in packages.items() if version is None]
    problems += [f"{name} is not installed: pip install {name}" for name in missing]
    return {
        "diptych": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "interpreter": sys.executable,
        "packages": packages,
        "extras": extras,
        "prices": default().date,
        "settings": settings,
        "templates": _templates(),
        "problems": problems,
    }


def _settings() -> tuple[list[dict[str, Any]], list[str]]:
    from ..config import in_force
    from ..errors import ConfigError

    try:
        return [entry._asdict() for entry in in_force()], []
    except ConfigError as error:
        return [], [str(error)]


def _packages() -> tuple[dict[str, str | None], dict[str, dict[str, str | None]]]:
    """Return the versions of the packages that are needed, and of each extra's; None where one is missing."""
    needed: dict[str, str | None] = {}
    extras: dict[str, dict[str, str | None]] = {}
    from importlib import metadata

    for line in metadata.requires("diptych") or ():
        requirement, _, marker = line.partition(";")
        name = re.split(r"[^A-Za-z0-9._-]", requirement.strip(), maxsplit=1)[0]
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", marker)
        if extra is None:
            needed[name] = _version(name)
        elif extra[1] not in ("dev", "all"):
            extras.setdefault(extra[1], {})[name] = _version(name)
    return needed, extras


def _version(name: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _templates() -> list[dict[str, Any]]:
    from ..errors import DiptychError
    from .inputs import libraries

    try:
        return [{"folder": folder, "templates": len(list(library))} for folder, library in libraries()]
    except DiptychError:
        return []


def _shown(found: dict[str, Any]) -> str:
    lines = [f"diptych {found['diptych']}, Python {found['python']}, {found['platform']}"]
    lines += [f"price book of {found['prices']} (diptych cost shows when each price was checked)", "", "needed"]
    lines += [f"  {name} {version or 'MISSING'}" for name, version in found["packages"].items()]
    lines += ["", "extras"]
    lines += [f"  {name}: {_extra(name, packages)}" for name, packages in found["extras"].items()]
    lines += ["", "settings"]
    lines += [f"  {one['name']}: {_value(one['value'])} ({one['origin']})" for one in found["settings"]]
    lines += ["", "templates"]
    lines += [f"  {one['folder']}: {one['templates']}" for one in found["templates"]]
    lines += ["", *(f"amiss: {one}" for one in found["problems"])] if found["problems"] else ["", "nothing is amiss"]
    return "\n".join(lines) + "\n"


def _extra(name: str, packages: dict[str, str | None]) -> str:
    missing = [package for package, version in packages.items() if version is None]
    if missing:
        return f"not installed ({', '.join(missing)}): pip install 'diptych[{name}]'"
    return ", ".join(f"{package} {version}" for package, version in packages.items())


def _value(value: Any) -> str:
    return "none" if value is None else ", ".join(value) if isinstance(value, list) else str(value)
