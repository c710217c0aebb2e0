"""``diptych types`` and ``diptych schema``: what other programs need to know of templates."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from .options import Json


def types_command(
    path: Annotated[str, typer.Argument(help="A folder of templates, or package:folder.")],
    output: Annotated[str | None, typer.Option("-o", "--output", help="The Python file to write.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with status 1 if the file is out of date.")
    ] = False,
    json_: Json = False,
) -> None:
    """Write a Python module with one typed function for every template.

    diptych types templates -o prompts.py
    """
    from ..templating.typed import typed_source
    from .output import write_document, write_text

    source = typed_source(path, output=output)
    if check:
        is_fresh = output is not None and Path(output).is_file() and Path(output).read_text("utf-8") == source
        if not is_fresh:
            again = f"diptych types {path} -o {output or 'FILE.py'}"
            print(
                f"{output or 'there is no -o FILE to compare'}: not what the templates say; run {again}",
                file=sys.stderr,
            )
            raise typer.Exit(1)
        return
    if output is not None:
        Path(output).write_text(source, "utf-8", newline="\n")
    if json_:
        write_document(output=output, source=source)
    elif output is None:
        write_text(source)


def schema_command(
    command: Annotated[list[str] | None, typer.Argument(help="A command with --json, such as migrate data.")] = None,
) -> None:
    """Print the JSON Schema of the front matter, or of what a command prints with --json.

    diptych schema > diptych-front-matter.json

    diptych schema migrate data
    """
    from .output import write_json

    if not command:
        from ..templating.front_schema import front_schema

        write_json(front_schema())
        return
    from .documents import DOCUMENTS, schema_of

    name = " ".join(command)
    if name not in DOCUMENTS:
        raise typer.BadParameter(f"no command {name!r} has --json; those that have: {', '.join(DOCUMENTS)}")
    write_json(schema_of(name))
