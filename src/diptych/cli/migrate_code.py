"""``diptych migrate code``: Python call sites of Completions become Chat calls."""

from __future__ import annotations

import difflib
import sys
from enum import StrEnum
from typing import Annotated, Any

import typer

from .annotations import annotation
from .options import Json, NoIgnore, Output, OutputFormat, complete_model


class Target(StrEnum):
    """The API that calls become."""

    chat = "chat"
    responses = "responses"


ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="Replace Completions models by this one (default: gpt-5.4-mini).",
        autocompletion=complete_model,
    ),
]
ModelMapOption = Annotated[
    list[str] | None,
    typer.Option("--model-map", metavar="OLD=NEW", help="Replace the model OLD by NEW; repeatable."),
]
DatedOption = Annotated[
    bool, typer.Option("--dated", help="Also replace the models of Chat calls whose last day is announced.")
]
NewSdkOption = Annotated[
    bool, typer.Option("--new-sdk", help="Also turn code of openai before 1 into client code of openai 1.")
]
TargetOption = Annotated[
    Target, typer.Option("--target", help="The API that the calls become: chat or responses.")
]
ProveOption = Annotated[
    str | None,
    typer.Option(
        "--prove",
        metavar="FILE|URL",
        help="For calls to servers of your own: compare each prompt with what this tokenizer_config.json,"
        " or the server at this URL, renders.",
    ),
]
OnlyOption = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="PATTERN", help="Change only files that match, such as src/*.py; repeatable."),
]


def code_command(
    paths: Annotated[list[str], typer.Argument(help="Python files and notebooks, or folders of them.")],
    write: Annotated[bool, typer.Option("--write", help="Change the files; without it a diff is shown.")] = False,
    backup: Annotated[bool, typer.Option("--backup", help="With --write: keep the old text as FILE.bak.")] = False,
    todo: Annotated[bool, typer.Option("--todo", help="Put a TODO comment over every refused statement.")] = False,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes; chosen by the files.")] = None,
    model: ModelOption = None,
    model_map: ModelMapOption = None,
    dated: DatedOption = False,
    new_sdk: NewSdkOption = False,
    target: TargetOption = Target.chat,
    prove: ProveOption = None,
    only: OnlyOption = None,
    output_format: OutputFormat = Output.text,
    no_ignore: NoIgnore = False,
    json_: Json = False,
) -> None:
    """Turn Completions calls of Python code into Chat calls; what is uncertain is refused with its reason.

    Without --model, the dated default model replaces a model that was shut down. Exit with status 1 if
    something is refused.

    diptych migrate code src --write
    """
    from ..migrate.code import DEFAULT_MODEL
    from ..migrate.code.files import migrate_files
    from ..migrate.code.worklist import work_list
    from .convert import prover
    from .output import write_document, write_text

    if backup and not write:
        raise typer.BadParameter("--backup keeps what --write changes: give both")
    with prover(prove) as by:
        report = migrate_files(
            paths,
            write=write,
            backup=backup,
            todo=todo,
            workers=workers,
            model=model or DEFAULT_MODEL,
            model_map=_pairs(model_map or []),
            dated=dated,
            new_sdk=new_sdk,
            target=target.value,
            prove=by,
            only=only or [],
            ignore=not no_ignore,
        )
    if json_:
        told = [file.to_json() for file in report.files]
        every = {kind: [entry for file in told for entry in file[kind]] for kind in ("changes", "refusals")}
        write_document(files=told, **every, work=work_list(report.files), summary=report.summary())
    elif output_format is Output.github:
        for file in report.files:
            _print_annotations(file)
    else:
        for file in report.files:
            if not write:
                write_text(_diff(file.file, file.before, file.after))
            _print_findings(file)
    _print_summary(report, write=write)
    if report.refused:
        raise typer.Exit(1)


def _pairs(given: list[str]) -> dict[str, str]:
    """Return the pairs of OLD=NEW."""
    found = {}
    for pair in given:
        old, is_pair, new = pair.partition("=")
        if not (is_pair and old and new):
            raise typer.BadParameter(f"{pair!r} is not OLD=NEW", param_hint="--model-map")
        found[old] = new
    return found


def _print_annotations(file: Any) -> None:
    """Print refusals as warnings and notes as notices of GitHub's checks."""
    from .output import write_text

    for change in file.changes:
        if change.kind == "note":
            write_text(annotation("notice", change.place, "note", change.what))
    for refusal in file.refusals:
        write_text(annotation("warning", refusal.place, refusal.code, f"{refusal.reason}: {refusal.hint}"))


def _print_findings(file: Any) -> None:
    """Print the notes and refusals of a file, in the order of its text."""
    notes = [(change.place, f"note: {change.what}", "") for change in file.changes if change.kind == "note"]
    refusals = [(r.place, f"refused: {r.reason} [{r.code}]", r.hint) for r in file.refusals]
    for place, said, hint in sorted(notes + refusals):
        print(f"{place}: {said}", file=sys.stderr)
        if hint:
            print(f"    what to do: {hint}", file=sys.stderr)


def _print_summary(report: Any, *, write: bool) -> None:
    from ..migrate.code import KINDS

    summary = report.summary()
    verb = "changed" if write else "would change"
    parts = [f"{number} {KINDS[kind]}" for kind, number in summary["changes"].items()]
    print(f"{summary['files']} files, {summary['changed']} {verb}: {', '.join(parts) or 'nothing'}", file=sys.stderr)
    if report.refused:
        parts = [f"{number} {code}" for code, number in summary["refusals"].items()]
        print(f"{report.refused} refused: {', '.join(parts)}", file=sys.stderr)


def _diff(name: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(_lines(before), _lines(after), f"a/{name.lstrip('/')}", f"b/{name.lstrip('/')}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """Split at line feeds alone, as diff and patch do."""
    return [line + "\n" for line in text.split("\n")[:-1]] + ([last] if (last := text.split("\n")[-1]) else [])
