"""``diptych audit``: what a migration would touch."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Final

import typer

from .annotations import annotation
from .options import Json, NoIgnore, Output, OutputFormat

#: Rows of a kind that the table shows.
_ROWS: Final = 25


def audit_command(
    paths: Annotated[list[str], typer.Argument(help="Files, or folders of them.")],
    within: Annotated[
        int | None,
        typer.Option(
            "--within",
            min=0,
            help="Exit with status 1 also if a model shuts down within this many days (default: none).",
        ),
    ] = None,
    output_format: OutputFormat = Output.text,
    no_ignore: NoIgnore = False,
    json_: Json = False,
) -> None:
    """Show what a migration to Chat would touch. Exit with status 1 if a model is used that was shut down.

    diptych audit src data --within 90
    """
    from ..migrate.findings import audit
    from .output import write_document

    found = audit(*paths, ignore=not no_ignore)
    if json_:
        write_document(**found.to_json())
    elif output_format is Output.github:
        _print_annotations(found, within)
    else:
        _print_audit(found)
    if found.due(within):
        raise typer.Exit(1)


def _print_audit(found: Any) -> None:
    from rich.table import Table
    from rich.text import Text

    from ..migrate.findings.finding import KINDS
    from ..migrate.findings.groups import folded, grouped
    from .output import console, write_text

    table, groups = Table("what", "where", "facts"), grouped(found.findings)
    for kind in KINDS:
        every = [group for group in groups if group.first.kind == kind]
        for group in every[:_ROWS]:
            table.add_row(kind, Text(group.places, overflow="fold"), Text(_said(found, group)))
        if len(every) > _ROWS:
            table.add_row(kind, Text(f"and {len(every) - _ROWS:,} more"), Text("--json lists all of them"))
    for part, group in folded(found.findings).items():
        table.add_row(part, Text(group.places, overflow="fold"), Text(group.summary))
    if found.findings:
        console().print(table)
    for line in found.unread:
        print(f"not read: {line}", file=sys.stderr)
    summary = found.to_json()["summary"]
    told = ", ".join(
        f"{number:,} {kind.replace('_', ' ')}{'' if number == 1 or kind in ('dated', 'shut_down') else 's'}"
        for kind, number in summary.items()
    )
    tokens = found.tokens
    change = f"; tokens {tokens['before']:,} to {tokens['after']:,}" if tokens["after"] else ""
    write_text(f"{found.files:,} files: {told}{change}\n")


def _said(found: Any, group: Any) -> str:
    from ..migrate.findings.sentences import sentence

    said = sentence(group.together, is_past=found.is_past(group.first))
    return f"{len(group.findings):,} × {said}" if len(group.findings) > 1 else said


def _print_annotations(found: Any, within: int | None) -> None:
    """Print what is due as errors and refused calls as warnings of GitHub's checks; other dated models as notices."""
    from ..migrate.findings.groups import part_of
    from ..migrate.findings.sentences import sentence
    from .output import write_text

    due = {id(finding) for finding in found.due(within)}
    for finding in found.findings:
        is_refused = finding.kind == "call" and not finding.facts["migrates"]
        if part_of(finding) or not (is_refused or finding.facts.get("shutdown_date")):
            continue
        level = "error" if id(finding) in due else "warning" if is_refused else "notice"
        file, line, column = finding.place.rsplit(":", 2)
        said = sentence(finding, is_past=found.is_past(finding))
        write_text(annotation(level, (file, int(line), int(column)), finding.kind, said))
