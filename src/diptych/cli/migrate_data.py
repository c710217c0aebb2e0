"""``diptych migrate data``: data sets from one format to another."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from .options import Json, OnLoss, complete_format


class Engine(StrEnum):
    """Where the shards are converted."""

    local = "local"
    ray = "ray"


def data_command(
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
