"""The templates of one folder: opened and saved, never outside of it, never over what somebody else wrote.

Rule: a name is resolved, links included, before it is looked at; a file is replaced at once or not at all.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Final

from ..errors import DiptychError, TemplateNotFound

ENDINGS: Final = (".jinja", ".jinja2", ".j2")
#: No template of this size is edited by hand, in bytes.
MOST: Final = 2_000_000


def names(folder: Path) -> list[str]:
    """Return the templates below a folder, by their names."""
    found = (file for file in folder.rglob("*") if file.suffix in ENDINGS and file.is_file())
    inside = (file.relative_to(folder) for file in found if _is_inside(folder, file))
    return sorted(name.as_posix() for name in inside if not any(part.startswith(".") for part in name.parts))


def opened(folder: Path, name: str) -> dict[str, str]:
    """Return the text of a template and the mark by which a change is noticed. Raises TemplateNotFound."""
    file = place_of(folder, name)
    if not file.is_file() or file.stat().st_size > MOST:
        raise TemplateNotFound(f"there is no template {name!r} of at most {MOST:,} bytes")
    data = file.read_bytes()
    try:
        return {"name": name, "source": data.decode("utf-8"), "mark": mark_of(data)}
    except UnicodeDecodeError:
        raise TemplateNotFound(f"{name!r} is not UTF-8 text") from None


def saved(folder: Path, name: str, source: str, mark: str | None) -> str:
    """Write a template and return its new mark.

    ``mark`` is that of the text which was opened, None for a new file. Raises DiptychError where the file has
    another text by now, TemplateNotFound for a name outside of the folder.
    """
    file = place_of(folder, name)
    data = source.encode("utf-8")
    before = mark_of(file.read_bytes()) if file.is_file() else None
    if before != mark:
        raise DiptychError(f"{name} was changed by somebody else", hint="open it again; nothing was written")
    if not file.parent.is_dir():
        raise TemplateNotFound(f"there is no folder for {name!r}")
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        if file.exists():
            os.chmod(temporary, file.stat().st_mode & 0o777)
        os.replace(temporary, file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return mark_of(data)


def mark_of(data: bytes) -> str:
    """Return what names a text: the first 16 digits of its SHA-256."""
    return hashlib.sha256(data).hexdigest()[:16]


def place_of(folder: Path, name: str) -> Path:
    """Return the file of a name. Raises TemplateNotFound for names outside the folder and of other files."""
    file = folder / name
    if not name.endswith(ENDINGS) or "\0" in name or not _is_inside(folder, file):
        raise TemplateNotFound(f"{name!r} is not a template of this folder", hint=f"names end in {', '.join(ENDINGS)}")
    return file


def _is_inside(folder: Path, file: Path) -> bool:
    return file.resolve().is_relative_to(folder.resolve())
