"""``diptych convert``: any format to any other, with the truth about it."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

import typer

from .options import FileName, Json, Jsonl, OnLoss, complete_format


def convert_command(
    file: FileName,
    from_: Annotated[
        str, typer.Option("--from", help="The format of the file.", autocompletion=complete_format)
    ] = "auto",
    to: Annotated[
        str, typer.Option("--to", help="The format to write.", autocompletion=complete_format)
    ] = "chat",
    on_loss: Annotated[OnLoss, typer.Option("--on-loss", help="What to do about a loss.")] = OnLoss.raise_,
    diff: Annotated[
        bool, typer.Option("--diff", help="Say for each format a prompt may be of, where it differs.")
    ] = False,
    json_: Json = False,
    jsonl: Jsonl = False,
) -> None:
    """Convert a prompt or messages from one format to another.

    diptych convert prompt.txt --to chat

    diptych convert messages.json --to chatml
    """
    from ..conversion.convert import convert, convert_whole
    from ..conversion.registry import get
    from ..loss import settle
    from .inputs import read_file
    from .output import write_document, write_json, write_text
    from .values import read_value

    if jsonl:
        raise typer.Exit(_convert_lines(file, from_, to, on_loss.value))
    if diff:
        _explain(read_file(file), json_)
        return
    policy: Literal["raise", "ignore"] = "raise" if on_loss is OnLoss.raise_ else "ignore"
    value = read_value(file, lines_hint=f"diptych convert {file} --jsonl converts each line")
    named = None if from_ == "auto" else get(from_)
    whole = convert_whole(value, get(to).name, named) or [convert(value, from_, to, on_loss=policy)]
    for result in whole:
        settle(result.losses, policy)
        _warn(result.losses, on_loss)
        if result.detail and on_loss is not OnLoss.ignore:
            print(f"ambiguous: {result.detail}", file=sys.stderr)
    result = whole[0]
    if len(whole) > 1:
        write_document(outputs=[*map(document_of, whole)]) if json_ else write_json([one.output for one in whole])
    elif json_:
        write_document(**document_of(result))
    elif isinstance(result.output, str):
        write_text(result.output)
    else:
        write_json(result.output)


def _explain(prompt: str, json_: bool) -> None:
    """Say which formats a prompt may be of, and where each would be written otherwise."""
    from ..text.reading import dialects
    from .output import write_document, write_text

    rows = dialects(prompt)
    if json_:
        names = ("format", "confidence", "verdict", "difference")
        write_document(formats=[dict(zip(names, row, strict=True)) for row in rows])
        return
    for name, confidence, verdict, difference in rows:
        write_text(f"{name}: {confidence:.2f}, {verdict}; {difference or 'written again, the text is identical'}\n")


def _warn(losses: Any, on_loss: OnLoss) -> None:
    if on_loss is OnLoss.warn:
        for loss in losses:
            print(f"warning: {loss}", file=sys.stderr)


def document_of(result: Any) -> dict[str, Any]:
    """Return what ``--json`` shows of a conversion."""
    return {
        "output": result.output,
        "format": result.format,
        "verdict": result.verdict,
        "detail": result.detail,
        "losses": [loss.to_json() for loss in result.losses],
        "alternatives": list(result.alternatives),
        "proof": result.proof._asdict() if result.proof else None,
    }


def _convert_lines(file: str, source: str, target: str, on_loss: Any) -> int:
    from ..conversion.convert import convert
    from ..errors import DiptychError
    from .inputs import error_json, iter_jsonl
    from .output import write_json

    failed = 0
    for value in iter_jsonl(file):
        try:
            if isinstance(value, DiptychError):
                raise value
            write_json(document_of(convert(value, source, target, on_loss=on_loss)), indent=None)
        except DiptychError as error:
            failed = 1
            write_json(error_json(error), indent=None)
    return failed
