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
    from ..migrate.findings import audit
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
    tokens = found.tokens
    change = f"; tokens {tokens['before']:,} to {tokens['after']:,}" if tokens["after"] else ""
    write_text(f"{found.files} files: {told}{change}\n")


def _facts(finding: Any) -> str:
    return _SAID[finding.kind](finding.facts)


def _call(facts: Any) -> str:
    return "migrates" if facts["migrates"] else f"refused: {facts['reason']} [{facts['code']}]"


def _model(facts: Any) -> str:
    stand_in = f"; {facts['stand_in']} stands in" if facts["stand_in"] else ""
    return f"{facts['model']}: shut down {facts['shutdown_date']}{stand_in} ({facts['source']})"


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


_SAID = {"call": _call, "model": _model, "prompt": _prompt, "template": _template, "dataset": _dataset}
