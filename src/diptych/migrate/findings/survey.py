"""Look through a project for what a migration to Chat would touch.

Rule: nothing is changed and nothing is sent. A finding has its place and what is known for
certain: a model stands on the dated list by its exact name, a call is certain or refused
by the code migration itself, a prompt's format comes with its confidence.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

from ...errors import DiptychError, MissingExtra
from ...walk import iter_paths
from ..code.files import check_paths, migrate_files
from ..data.sources import named_as_lines
from .datasets import dataset_findings
from .finding import Audit, Finding
from .python import calls_of, notebook_findings, python_findings
from .texts import JINJA, body_findings, template_findings

#: Settings and templates of text; a larger one is data of some other kind.
_TEXTS: Final = (*JINJA, ".prompty", ".prompt", ".yml", ".yaml", ".toml", ".cfg", ".ini")
_LARGEST: Final = 5_000_000
_Reader = Callable[[Path, str], list[Finding]]


def audit(*paths: str | os.PathLike[str], today: date | None = None, ignore: bool = True) -> Audit:
    """Look through files and folders for what a migration to Chat would touch.

    Reads Python and notebooks, data sets, request bodies, templates and settings; of a folder
    the project's own files: ``.gitignore`` and ``exclude`` of ``[tool.diptych]`` are respected, unless
    ``ignore`` is false. ``today`` is the day that shutdown dates are compared with, by default the clock's.
    Raises MigrationError for a path that does not exist.

    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> source = "import openai\\nopenai.Completion.create(model='text-davinci-003', prompt='Hi')"
    >>> _ = (folder / "a.py").write_text(source)
    >>> [(f.kind, f.facts.get("shutdown_date")) for f in audit(folder).findings]
    [('call', None), ('model', '2024-01-04'), ('prompt', None)]
    """
    check_paths(paths)
    calls = _calls(paths, ignore)
    found = Audit(today=today or date.today())
    for file in iter_paths(paths, ignore=ignore):
        reader, name = _reader_of(file, calls), file.as_posix()
        if reader is None and name not in calls:
            continue
        found.files += 1
        if not name.lower().endswith((".py", ".ipynb")):
            found.findings += calls.get(name, [])
        if reader is None:
            continue
        try:
            found.findings += reader(file, name)
        except (OSError, ValueError, RecursionError, DiptychError) as error:
            found.unread.append(f"{name}: {_said(error)}")
    return found


def _said(error: Exception) -> str:
    said = str(getattr(error, "message", None) or error)
    place = getattr(error, "path", None)
    return f"{said} ({place})" if place else said


def _calls(paths: tuple[str | os.PathLike[str], ...], ignore: bool) -> dict[str, list[Finding]]:
    """Return the call sites of every file, as a migration of all of them together sees them."""
    try:
        report = migrate_files(paths, ignore=ignore)
    except MissingExtra:
        return {}
    return {file.file: calls_of(file) for file in report.files}


def _reader_of(file: Path, calls: dict[str, list[Finding]]) -> _Reader | None:
    lower = file.name.lower()
    own = calls.get(file.as_posix(), [])
    if lower.endswith((".py", ".ipynb")):
        return partial(python_findings if lower.endswith(".py") else notebook_findings, calls=own)
    if named_as_lines(lower) or lower.endswith((".parquet", ".pq")):
        return dataset_findings
    if not lower.endswith((*_TEXTS, ".json")) or file.stat().st_size > _LARGEST:
        return None
    return body_findings if lower.endswith(".json") else template_findings
