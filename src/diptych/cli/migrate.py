"""``diptych migrate``: data sets from one format to another."""

from __future__ import annotations

import difflib
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from .options import Json, OnLoss, complete_format

migrate_app = typer.Typer(no_args_is_help=True, help="Move data sets and code to Chat.")


class Engine(StrEnum):
    """Where the shards are converted."""

    local = "local"
    ray = "ray"


@migrate_app.callback()
def root() -> None:
    """Move data sets and code to Chat."""


@migrate_app.command("data")
def migrate_data(
    src: Annotated[str, typer.Argument(help="A file of JSON lines, or a folder of them.")],
    dst: Annotated[str, typer.Argument(help="The file or folder to write.")],
    from_: Annotated[
        str, typer.Option("--from", help="The format of the rows.", autocompletion=complete_format)
    ] = "auto",
    to: Annotated[
        str, typer.Option("--to", help="The format to write.", autocompletion=complete_format)
    ] = "openai_chat",
    on_loss: Annotated[
        OnLoss, typer.Option("--on-loss", help="raise: rows that lose anything are rejects.")
    ] = OnLoss.raise_,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes; by default one a core.")] = None,
    engine: Annotated[Engine, typer.Option("--engine", help="This machine, or a Ray cluster.")] = Engine.local,
    json_: Json = False,
) -> None:
    """Convert a data set; what is done is not done again, and bad rows go to a rejects file.

    diptych migrate data prompts.jsonl chats.jsonl --from finetune_legacy --to finetune_chat
    """
    from ..migrate import Spec, convert_dataset
    from .output import write_document, write_text

    counts = convert_dataset(src, dst, Spec(from_, to, on_loss.value), workers=workers, engine=engine.value)
    if json_:
        write_document(**counts.to_json())
    else:
        losses = ", ".join(f"{kind} {number}" for kind, number in sorted(counts.losses.items())) or "none"
        write_text(f"{counts.rows} rows, {counts.converted} converted, {counts.rejected} rejected; losses: {losses}\n")
    if counts.rejected:
        raise typer.Exit(1)


@migrate_app.command("code")
def migrate_code_command(
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


@migrate_app.command("templates")
def migrate_templates(
    paths: Annotated[list[str], typer.Argument(help="Template files of other tools, or folders of them.")],
    out: Annotated[
        str | None, typer.Option("--out", "-o", help="The folder to write to; without it they are shown.")
    ] = None,
    from_: Annotated[str, typer.Option("--from", help="The layout, by default what name and keys say.")] = "auto",
    to: Annotated[str, typer.Option("--to", help="diptych, or prompty for the way back.")] = "diptych",
    on_loss: Annotated[
        OnLoss, typer.Option("--on-loss", help="raise: a file that loses anything is refused.")
    ] = OnLoss.warn,
    json_: Json = False,
) -> None:
    """Turn Prompty, dotprompt, LangChain, llm, GitHub and request files into Diptych templates.

    diptych migrate templates prompts --out templates
    """
    from ..errors import DiptychError
    from ..migrate.templates import migrate_template, to_prompty
    from ..template import Template
    from .output import write_document, write_text

    documents, refused = [], 0
    for file in _template_files(paths):
        document: dict[str, Any] = {"file": str(file)}
        documents.append(document)
        try:
            text = file.read_bytes().decode("utf-8-sig")
            back = to == "prompty"
            found = (
                to_prompty(Template.from_string(text), file.stem) if back else migrate_template(text, str(file), from_)
            )
        except (DiptychError, UnicodeDecodeError) as error:
            refused += 1
            document["error"] = getattr(error, "message", str(error))
            print(f"{file}: refused: {document['error']}", file=sys.stderr)
            continue
        document |= {
            "layout": found.layout,
            "verdict": found.verdict,
            "losses": [loss.to_json() for loss in found.losses],
        }
        if on_loss is not OnLoss.ignore:
            for loss in found.losses:
                print(f"{file}: {loss}", file=sys.stderr)
        if on_loss is OnLoss.raise_ and found.verdict != "lossless":
            refused += 1
            continue
        if out is not None:
            name = file.name.removesuffix(".yml").removesuffix(".yaml").rpartition(".")[0] or file.stem
            target = Path(out) / f"{name}.{'prompty' if to == 'prompty' else 'jinja'}"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(found.source.encode())
            document["written"] = str(target)
        elif json_:
            document["source"] = found.source
        else:
            write_text(found.source)
    if json_:
        write_document(files=documents)
    if refused:
        raise typer.Exit(1)


#: What a folder is searched for; a file that is named is read whatever its name.
_TEMPLATE_ENDINGS = (".prompty", ".prompt", ".prompt.yml", ".prompt.yaml", ".jinja", ".j2")


def _template_files(paths: list[str]) -> list[Path]:
    found: list[Path] = []
    for name in paths:
        path = Path(name)
        inside = sorted(p for p in path.rglob("*") if p.name.endswith(_TEMPLATE_ENDINGS)) if path.is_dir() else [path]
        found += inside
    return found


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
