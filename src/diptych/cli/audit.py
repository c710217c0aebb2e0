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

    from .output import console, write_text

    table = Table("what", "where", "facts")
    for finding in found.findings:
        table.add_row(finding.kind, Text(finding.place, overflow="fold"), Text(_facts(finding, found.is_past(finding))))
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


def _facts(finding: Any, is_past: bool) -> str:
    return _model(finding.facts, is_past) if finding.kind == "model" else _SAID[finding.kind](finding.facts)


def _call(facts: Any) -> str:
    return "migrates" if facts["migrates"] else f"refused: {facts['reason']} [{facts['code']}]"


def _model(facts: Any, is_past: bool) -> str:
    stand_in = f"; {facts['stand_in']} replaces it" if facts["stand_in"] else ""
    when = "was shut down on" if is_past else "shuts down on"
    return f"{facts['model']} {when} {facts['shutdown_date']}{stand_in} ({facts['source']})"


def _prompt(facts: Any) -> str:
    sure = f"{facts['format']} ({facts['confidence']:.0%}, {facts['verdict']})"
    return f"{sure}; tokens {facts['tokens_before']} to {facts['tokens_after']}"


def _template(facts: Any) -> str:
    name = f" {facts['name']}" if facts.get("name") else ""
    said = [facts["verdict"]] if "verdict" in facts else []
    said += [f"{facts['tokens']} tokens"] if facts["tokens"] is not None else []
    return f"{facts['layout']}{name}: {', '.join(said)}" + (f": {facts['reason']}" if "reason" in facts else "")


def _dataset(facts: Any) -> str:
    bad = f", {facts['bad']:,} of {facts['sampled']:,} no JSON" if facts["bad"] else ""
    if facts["layout"] is None:
        return f"{facts['rows']:,} rows{bad}; {facts['reason']}"
    tokens = f"tokens {facts['tokens_before']:,} to {facts['tokens_after']:,}"
    return f"{facts['layout']}: {facts['rows']:,} rows{bad}; {tokens}; {facts['usd_after'] or 'unknown'} USD as input"


_SAID = {"call": _call, "prompt": _prompt, "template": _template, "dataset": _dataset}
