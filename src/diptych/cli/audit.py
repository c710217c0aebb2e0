"""``diptych audit``: what a migration would touch."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from .options import Json


def audit_command(
    paths: Annotated[list[str], typer.Argument(help="Files, or folders of them.")],
    json_: Json = False,
) -> None:
    """Show what a migration to Chat would touch; exit 1 where a model with a shutdown date is used.

    diptych audit src data
    """
    from ..migrate.audit import audit
    from .output import write_document

    found = audit(*paths)
    if json_:
        write_document(**found.to_json())
    else:
        _print_audit(found)
    if found.dated:
        raise typer.Exit(1)


def _print_audit(found: Any) -> None:
    from rich.table import Table
    from rich.text import Text

    from .output import console, write_text

    table = Table("what", "where", "facts")
    for finding in found.findings:
        table.add_row(finding.kind, Text(finding.place, overflow="fold"), Text(_facts(finding)))
    if found.findings:
        console().print(table)
    for line in found.unread:
        print(f"not read: {line}", file=sys.stderr)
    summary = found.to_json()["summary"]
    told = ", ".join(
        f"{number} {kind}{'' if number == 1 or kind == 'dated' else 's'}" for kind, number in summary.items()
    )
    write_text(f"{found.files} files: {told}\n")


def _facts(finding: Any) -> str:
    facts = finding.facts
    if finding.kind == "call":
        return "migrates" if facts["migrates"] else f"refused: {facts['reason']}"
    if finding.kind == "model":
        return (
            f"{facts['model']}: shut down {facts['shutdown_date']}; {facts['stand_in']} stands in ({facts['source']})"
        )
    if finding.kind == "prompt":
        sure = f"{facts['format']} ({facts['confidence']:.0%}, {facts['verdict']})"
        return f"{sure}; tokens {facts['tokens_before']} to {facts['tokens_after']}"
    if finding.kind == "template":
        return f"{facts['layout']}, {facts['tokens']} tokens"
    if facts["layout"] is None:
        return f"{facts['rows']} rows of no known layout"
    tokens = f"tokens {facts.get('tokens_before', 0):,} to {facts.get('tokens_after', 0):,}"
    return f"{facts['layout']}, {facts['rows']:,} rows; {tokens}; {facts.get('usd_after') or 'unknown'} USD of input"
