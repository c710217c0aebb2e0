"""``diptych convert``: any format to any other, with the truth about it."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from .options import FileName, Json, Jsonl, OnLoss, complete_format


def convert_command(
    file: FileName,
    from_: Annotated[
        str, typer.Option("--from", help="The format of the file.", autocompletion=complete_format)
    ] = "auto",
    to: Annotated[
        str, typer.Option("--to", help="The format to write.", autocompletion=complete_format)
    ] = "openai_chat",
    on_loss: Annotated[OnLoss, typer.Option("--on-loss", help="What to do about a loss.")] = OnLoss.raise_,
    json_: Json = False,
    jsonl: Jsonl = False,
) -> None:
    """Convert a prompt or messages from one format to another.

    diptych convert prompt.txt --to openai_chat

    diptych convert messages.json --to chatml
    """
    from ..formats.convert import convert
    from .inputs import read_value
    from .output import write_document, write_json, write_text

    if jsonl:
        raise typer.Exit(_convert_lines(file, from_, to, on_loss.value))
    result = convert(read_value(file), from_, to, on_loss="raise" if on_loss is OnLoss.raise_ else "ignore")
    if on_loss is OnLoss.warn:
        for loss in result.losses:
            print(f"warning: {loss}", file=sys.stderr)
    if json_:
        write_document(**document_of(result))
    elif isinstance(result.output, str):
        write_text(result.output)
    else:
        write_json(result.output)


def document_of(result: Any) -> dict[str, Any]:
    """Return what ``--json`` shows of a conversion."""
    return {
        "output": result.output,
        "format": result.format,
        "verdict": result.verdict,
        "losses": [loss.to_json() for loss in result.losses],
        "alternatives": list(result.alternatives),
    }


def _convert_lines(file: str, source: str, target: str, on_loss: Any) -> int:
    from ..errors import DiptychError
    from ..formats.convert import convert
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
