"""What a project says it needs: the lines that hold openai below 1, which has to go when its code has moved.

Rule: nothing is changed here; each line is a note with its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from .model import Change, Place

#: A file that sets the old module up for others.
SETTING: Final = re.compile(r"^[ \t]*openai\.(?:api_key|api_base|api_type|organization)[ \t]*=", re.MULTILINE)
#: Endings of the files that are looked at.
ENDINGS: Final = (".txt", ".in", ".toml", ".cfg", ".yml", ".yaml", "setup.py", "Pipfile")
_NAMES: Final = re.compile(r"requirements|constraints|pyproject|setup|environment|Pipfile", re.IGNORECASE)
_NEEDS: Final = re.compile(
    r"(?<![\w.-])openai(?![\w./-])(?:\[[\w, ]+\])?[\"' ]*(?:=[ \"'{]*)?(?:[=<>~!^]=?[ ]*[01][\w.*]*|$|[\"',])"
)
_IS_NEW: Final = re.compile(r"(?:>=?|==|\^|~=)\s*[1-9]")


def is_configured(file: Path, files: Mapping[Path, str]) -> bool:
    """Tell whether another file sets openai up for this one: it does so, and one of the two imports the other."""
    own = files.get(file, "")
    return any(
        other != file and SETTING.search(text) and (_imports(own, other.stem) or _imports(text, file.stem))
        for other, text in files.items()
    )


def _imports(text: str, stem: str) -> bool:
    return re.search(rf"^[ \t]*(?:from|import)\b[^\n]*\b{re.escape(stem)}\b", text, re.MULTILINE) is not None


def requirement_notes(text: str, name: str) -> list[Change]:
    """Return a note for each line that asks for openai without saying 1 or later.

    >>> [note.what for note in requirement_notes("openai==0.28.1\\n", "requirements.txt")]
    ['the code needs openai 1 or later now: write openai>=1']
    """
    if not _NAMES.search(PurePosixPath(name).name):
        return []
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        match = None if line.lstrip().startswith("#") else _NEEDS.search(line)
        if match is not None and not _IS_NEW.search(line):
            what = "the code needs openai 1 or later now: write openai>=1"
            found.append(Change(Place(name, number, match.start() + 1), what, "note"))
    return found
