"""``diptych migrate data``: data sets from one layout to another."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from .options import Json, NoIgnore, OnLoss, complete_layout, complete_model, on_loss_option


class Engine(StrEnum):
    """Where the shards are converted."""

    local = "local"
    ray = "ray"


SrcArgument = Annotated[
    str,
    typer.Argument(
        help="A data file (.jsonl, .jsonl.gz, .jsonl.zst, .parquet) or a folder, also at s3:// or hf://."
    ),
]
FromOption = Annotated[
    str, typer.Option("--from", help="The layout of the rows; auto finds it.", autocompletion=complete_layout)
]
ToOption = Annotated[
    str, typer.Option("--to", help="The layout to write.", autocompletion=complete_layout)
]
ColumnOption = Annotated[
    list[str] | None,
    typer.Option("--column", help="FIELD=COLUMN: where a field of the layout stands; a path such as meta.q, too."),
]
TurnOption = Annotated[
    list[str] | None, typer.Option("--turn", help="KEY=NAME: the turns' own name for role or content.")
]
ConstantOption = Annotated[
    list[str] | None, typer.Option("--constant", help="FIELD=VALUE for rows without this field.")
]
MapOption = Annotated[
    str | None,
    typer.Option(
        "--map",
        help="FILE or FILE#NAME: a map of columns, also in axolotl's or LLaMA-Factory's form; flags override it.",
    ),
]
DropOption = Annotated[
    list[str] | None, typer.Option("--drop", help="Leave out this column without reporting a loss.")
]
RulesOption = Annotated[
    list[str] | None, typer.Option("--rules", help="alternation: reject rows whose speakers are not in turn.")
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="NAME=VALUE for the body of every batch line: model=gpt-5.4-mini.")
]
OnLossOption = Annotated[
    OnLoss, on_loss_option("raise: rows that lose anything are rejects. report, ignore: they are converted.")
]
FailFastOption = Annotated[
    bool, typer.Option("--fail-fast", help="Stop at the first row that would be rejected.")
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="Model whose tokenizer counts the written rows (default: gpt-5.4-mini).",
        autocompletion=complete_model,
    ),
]
SourceModelOption = Annotated[
    str,
    typer.Option(
        "--source-model", help="Model whose tokenizer counts the rows that are read.", autocompletion=complete_model
    ),
]
MaxTokensOption = Annotated[
    int | None, typer.Option("--max-tokens", min=1, help="Reject rows of more tokens when written, by --model.")
]
SplitOption = Annotated[
    float | None,
    typer.Option("--split", help="Share of rows for a second file, NAME.validation.jsonl: 0.1, say."),
]
PreviewOption = Annotated[
    int | None,
    typer.Option("--preview", min=1, help="Show so many rows before and after; nothing is written."),
]
PartsOption = Annotated[
    bool, typer.Option("--parts", help="Write each file as a folder of parts; they are not joined to one file.")
]
RestartOption = Annotated[
    bool, typer.Option("--restart", help="Give up what an interrupted run has done, instead of continuing it.")
]


def data_command(
    src: SrcArgument,
    dst: Annotated[str, typer.Argument(help="The file or folder to write, here or at a URL such as s3://.")],
    from_: FromOption = "auto",
    to: ToOption = "finetune_chat",
    column: ColumnOption = None,
    role: Annotated[list[str] | None, typer.Option("--role", help="ROLE=NAME: a name of a role in the turns.")] = None,
    turn: TurnOption = None,
    constant: ConstantOption = None,
    map_: MapOption = None,
    drop: DropOption = None,
    rules: RulesOption = None,
    set_: SetOption = None,
    on_loss: OnLossOption = OnLoss.raise_,
    fail_fast: FailFastOption = False,
    model: ModelOption = None,
    source_model: SourceModelOption = "gpt-3.5-turbo-instruct",
    max_tokens: MaxTokensOption = None,
    dedupe: Annotated[bool, typer.Option("--dedupe", help="Write equal rows of a file once.")] = False,
    split: SplitOption = None,
    preview: PreviewOption = None,
    no_count: Annotated[bool, typer.Option("--no-count", help="Count no tokens: ten times faster.")] = False,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes; by default one a core.")] = None,
    engine: Annotated[Engine, typer.Option("--engine", help="This machine, or a Ray cluster.")] = Engine.local,
    parts: PartsOption = False,
    restart: RestartOption = False,
    no_ignore: NoIgnore = False,
    json_: Json = False,
) -> None:
    """Convert a data set.

    Finished files are skipped on the next run; bad rows go to a rejects file.

    diptych migrate data prompts.jsonl chats.jsonl --from finetune_legacy --to finetune_chat
    """
    from ..catalogue import DEFAULT_MODEL
    from ..migrate.data import Spec, convert_dataset

    spec = Spec.of(
        {
            "to": to,
            "on_loss": on_loss.value,
            "rules": rules or (),
            "max_tokens": max_tokens,
            "dedupe": dedupe,
            "split": split,
            **_mapped(
                map_,
                {
                    "from": "" if from_ == "auto" else from_,
                    "columns": _pairs(column, "--column"),
                    "constants": {name: _value(text) for name, text in _pairs(constant, "--constant").items()},
                    "roles": _several(role, "--role"),
                    "turn": _pairs(turn, "--turn"),
                    "drop": drop or [],
                },
            ),
            "request": {name: _value(text) for name, text in _pairs(set_, "--set").items()},
            "fail_fast": fail_fast,
            "model": None if no_count and max_tokens is None else model or DEFAULT_MODEL,
            "source_model": None if no_count else source_model,
        }
    )
    if preview is not None:
        _show(src, spec, preview, ignore=not no_ignore, json_=json_)
        return
    with _bar() as on_progress:
        counts = convert_dataset(
            src,
            dst,
            spec,
            workers=workers,
            engine=engine.value,
            ignore=not no_ignore,
            join=not parts,
            restart=restart,
            on_progress=on_progress,
        )
    _tell(counts, spec, dst, json_=json_)
    if counts.rejected:
        raise typer.Exit(1)


def _tell(counts: Any, spec: Any, dst: str, *, json_: bool) -> None:
    from ..migrate.data.shard import totals
    from .output import write_document, write_text

    for problem in counts.problems:
        print(f"problem: {problem}", file=sys.stderr)
    if json_:
        write_document(**{**counts.to_json(), **totals(counts, spec)})
    else:
        write_text(_summary(totals(counts, spec)))
        if counts.rejected:
            print(f"the rejected rows, with their lines and reasons, stand in {_rejects(dst)}", file=sys.stderr)
        if counts.skipped:
            print("everything had been converted before; nothing was done again", file=sys.stderr)


def _show(src: str, spec: Any, most: int, *, ignore: bool, json_: bool) -> None:
    """Print the first rows before and after. Exits with status 1 where one of them would be rejected."""
    from ..migrate.data.preview import preview
    from .output import write_document, write_text

    found = preview(src, spec, most, ignore=ignore)
    if json_:
        write_document(preview=[row._asdict() for row in found])
    for row in () if json_ else found:
        write_text(f"row {row.line}\nbefore {_pretty(row.before)}\n")
        for value in row.after:
            write_text(f"after  {_pretty(value)}\n")
        if row.error is not None:
            write_text(f"reject {row.error['path'] or '$'}: {row.error['message']}\n")
    if any(row.error is not None for row in found):
        raise typer.Exit(1)


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    for pair in given or ():
        if "=" not in pair:
            raise typer.BadParameter(f"{option} takes NAME=VALUE, not {pair!r}")
    return dict(pair.split("=", 1) for pair in given or ())


def _several(given: list[str] | None, option: str) -> dict[str, list[str]]:
    """Return the values of each name of NAME=VALUE, which may be given several times."""
    found: dict[str, list[str]] = {}
    for pair in given or ():
        for name, value in _pairs([pair], option).items():
            found.setdefault(name, []).append(value)
    return found


def _mapped(file: str | None, flags: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a spec from a map file and from flags, which go before it."""
    from ..migrate.data.map_file import read_map

    found = {} if file is None else read_map(file)
    for name, value in flags.items():
        if isinstance(value, dict):
            found[name] = {**found.get(name, {}), **value}
        elif value:
            found[name] = [*found.get(name, ()), *value] if name == "drop" else value
    return found


def _value(text: str) -> Any:
    """Return a number, a list … where the text is one in JSON, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _summary(told: dict[str, Any]) -> str:
    counts, tokens, cost = told["counts"], told["tokens"], told["cost"]
    losses = ", ".join(f"{kind} {number:,}" for kind, number in told["losses"].items()) or "none"
    why = {name: f"; found: {reason}" for name, reason in counts["layout_reasons"].items()}
    layouts = ", ".join(f"{name} ({number:,} rows{why.get(name, '')})" for name, number in counts["layouts"].items())
    lines = [
        f"layout: {layouts or 'none'}",
        f"{counts['rows']:,} rows: {counts['converted']:,} converted, {counts['rejected']:,} rejected",
        f"losses: {losses}",
    ]
    if counts["left_out"]:
        columns = ", ".join(f"{name} ({number:,})" for name, number in counts["left_out"].items())
        lines.append(f"left out (they describe the rows): {columns}")
    for name, groups in (("rejected", counts["reasons"]), ("told of", counts["told"])):
        for group in sorted(groups.values(), key=lambda group: -group["rows"]):
            where = f"line {group['line']}" + (f" of {group['file']}" if group["file"] else "")
            way_out = _way_out(group) if name == "rejected" else ""
            lines.append(f"{name} {group['rows']:,}, first at {where}: {group['message']}{way_out}")
    for when in ("before", "after"):
        if tokens[when] is not None:
            usd = "price unknown" if cost[when] is None else f"{cost[when]} USD as input"
            lines.append(f"tokens {when}: {tokens[when]:,} ({usd})")
    if counts["duplicates"]:
        lines.append(f"duplicates: {counts['duplicates']:,} rows, written once each")
    if counts["validation"]:
        lines.append(f"validation: {counts['validation']:,} rows in the second file")
    if training := told["training"]:
        usd = training["usd_per_epoch"]
        price = training["reason"] if usd is None else f"{usd} USD per epoch ({training['source']})"
        lines.append(f"training: {price}")
    return "\n".join(lines) + "\n"


def _rejects(dst: str) -> str:
    return f"the files {dst}/*.rejects.jsonl" if Path(dst).is_dir() else f"{dst}.rejects.jsonl"


def _way_out(group: dict[str, Any]) -> str:
    """Return the flag that helps with a reason of rejects, where there is one."""
    message = group["message"]
    if "unknown speaker" in message or "is not a role" in message:
        return " (--role ROLE=NAME names it)"
    if "-dropped: " in message:
        return " (--on-loss report converts without it; --drop NAME leaves a column out)"
    return ""


@contextmanager
def _bar() -> Iterator[Callable[[int, int, Any], None] | None]:
    """Show shards, rows a second and the time left on standard error, where that is a terminal."""
    from .output import console

    screen = console(stderr=True)
    if not screen.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=screen, transient=True) as progress:
        task = progress.add_task("rows", total=None)
        rows = 0

        def step(done: int, shards: int, counts: Any) -> None:
            nonlocal rows
            rows += 0 if counts.skipped else counts.rows
            seconds = progress.tasks[0].elapsed or 1e-9
            progress.update(task, completed=done, total=shards, description=f"{rows / seconds:,.0f} rows/s")

        yield step
