"""``diptych tokens``: a text as the tokens that a model sees."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import FileName, Json, complete_model

_COLOURS = ("black on bright_cyan", "black on bright_yellow", "black on bright_green", "black on bright_magenta")


def tokens_command(
    file: FileName,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Model whose encoding is shown.", autocompletion=complete_model)
    ] = None,
    json_: Json = False,
) -> None:
    """Show a text as the tokens of a model's encoding, each in its colour.

    diptych tokens prompt.txt --model gpt-5.4-mini
    """
    from ..catalogue import DEFAULT_MODEL
    from ..config import setting
    from ..tokens import encode_text, encoding, encoding_name_for_model
    from .inputs import read_file
    from .output import console, write_document

    name = encoding_name_for_model(model or setting("model") or DEFAULT_MODEL)
    ids = encode_text(read_file(file), encoding_name=name)
    pieces = encoding(name).decode_tokens_bytes(ids)
    if json_:
        rows = [{"id": i, "text": _shown(p), "bytes": list(p)} for i, p in zip(ids, pieces, strict=True)]
        write_document(encoding=name, tokens=len(ids), items=rows)
        return
    from rich.text import Text

    shown = Text()
    for index, piece in enumerate(pieces):
        shown.append(_shown(piece), style=_COLOURS[index % len(_COLOURS)])
        if b"\n" in piece:
            shown.append("\n")
    console().print(shown)
    typer.echo(f"{len(ids)} tokens of {name}", err=True)


def _shown(piece: bytes) -> str:
    """Return a token as a person can see it: line breaks and what a terminal obeys as signs, half characters as hex."""
    from ..views.terminal import visible

    try:
        text = piece.decode()
    except UnicodeDecodeError:
        return f"<{piece.hex()}>"
    return visible(text.replace("\r", "␍").replace("\n", "⏎").replace("\t", "⇥"))
