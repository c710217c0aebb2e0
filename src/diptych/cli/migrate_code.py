"""``diptych migrate code``: Python call sites of Completions become Chat calls."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Annotated

import typer

from .options import Json


def code_command(
    paths: Annotated[list[str], typer.Argument(help="Python files, or folders of them.")],
    write: Annotated[bool, typer.Option("--write", help="Change the files; without it a diff is shown.")] = False,
    json_: Json = False,
) -> None:
    """Turn Completions calls of Python code into Chat calls; what is uncertain is refused with its reason.

    diptych migrate code src --write
    """
    from ..migrate import migrate_code
    from .output import write_document, write_text

    documents, refused = [], 0
    for file in _python_files(paths):
        before = file.read_bytes().decode("utf-8")
        found = migrate_code(before, str(file))
        refused += len(found.refusals)
        if write and found.source != before:
            file.write_bytes(found.source.encode())
        documents.append(
            {
                "file": str(file),
                "changes": [{"place": str(c.place), "what": c.what} for c in found.changes],
                "refusals": [{"place": str(r.place), "reason": r.reason} for r in found.refusals],
            }
        )
        if not json_:
            if not write:
                write_text(_diff(str(file), before, found.source))
            for refusal in found.refusals:
                print(f"{refusal.place}: refused: {refusal.reason}", file=sys.stderr)
    if json_:
        write_document(files=documents)
    if refused:
        raise typer.Exit(1)


def _python_files(paths: list[str]) -> list[Path]:
    found: list[Path] = []
    for name in paths:
        path = Path(name)
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return found


def _diff(name: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), f"a/{name}", f"b/{name}")
    return "".join(lines)
