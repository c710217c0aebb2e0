"""``diptych audit``: what a migration would touch."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from .options import Json, NoIgnore


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
    else:
        _print_audit(found)
    if found.due(within):
        raise typer.Exit(1)


def _print_audit(found: Any) -> None:
    from rich.table import Table
    from rich.text import Text

    from ..migrate.findings.groups import grouped
    from ..migrate.findings.sentences import sentence
    from .output import console, write_text

    table = Table("what", "where", "facts")
    for group in grouped(found.findings):
        said = sentence(group.first, is_past=found.is_past(group.first))
        table.add_row(group.first.kind, Text(group.places, overflow="fold"), Text(said))
    if found.findings:
        console().print(table)
    for line in found.unread:
        print(f"not read: {line}", file=sys.stderr)
    summary = found.to_json()["summary"]
    told = ", ".join(
        f"{number} {kind.replace('_', ' ')}{'' if number == 1 or kind in ('dated', 'shut_down') else 's'}"
        for kind, number in summary.items()
    )
    tokens = found.tokens
    change = f"; tokens {tokens['before']:,} to {tokens['after']:,}" if tokens["after"] else ""
    write_text(f"{found.files} files: {told}{change}\n")
