"""``diptych migrate templates``: template files of other tools become Diptych templates, and back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from .options import Json, OnLoss


def templates_command(
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
