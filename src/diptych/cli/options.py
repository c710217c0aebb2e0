"""Options that several commands share, and their completion."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer


class Api(StrEnum):
    """The two endpoints."""

    chat = "chat"
    completions = "completions"


class Output(StrEnum):
    """How findings are printed."""

    text = "text"
    github = "github"


class OnLoss(StrEnum):
    """What to do about what a conversion cannot carry."""

    raise_ = "raise"
    report = "report"
    ignore = "ignore"
    warn = "warn"


def on_loss_option(help: str) -> Any:
    """Return the option --on-loss; ``warn``, the name of 0.1, becomes ``report``."""
    return typer.Option("--on-loss", help=help, callback=lambda x: OnLoss.report if x is OnLoss.warn else x)


def complete_template(incomplete: str) -> list[str]:
    """Complete the name of a template."""
    from .inputs import libraries, stem

    names = {stem(name) for _, library in libraries() for name in library}
    return sorted(name for name in names if name.startswith(incomplete))


def complete_format(incomplete: str) -> list[str]:
    """Complete the name of a format."""
    from ..conversion.registry import list_formats

    return [entry.name for entry in list_formats() if entry.name.startswith(incomplete)]


def complete_layout(incomplete: str) -> list[str]:
    """Complete the name of a data set's layout."""
    from ..conversion.registry import list_formats

    return [e.name for e in list_formats() if e.kind == "dataset" and e.name.startswith(incomplete)]


def complete_param(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete the names of a template's inputs, each with the sign that follows."""
    from ..errors import DiptychError
    from .inputs import find_template

    # An option without its value ends the parser before it assigns the arguments.
    name = ctx.params.get("template") or next(iter(ctx.args), "")
    try:
        inputs = find_template(name).inputs
    except DiptychError:
        return []
    return [f"{name}=" for name in inputs if name.startswith(incomplete)]


def complete_model(incomplete: str) -> list[str]:
    """Complete the name of a model."""
    from ..prices import list_models

    return [m.name for m in list_models() if m.name.startswith(incomplete)]


TemplateName = Annotated[
    str,
    typer.Argument(help="A template's name or path; - reads it from standard input.", autocompletion=complete_template),
]
FileName = Annotated[str, typer.Argument(help="A file; - is standard input.")]
Pairs = Annotated[
    list[str] | None,
    typer.Option(
        "-p", "--param", help="An input: name=text, name=@FILE or name:=json.", autocompletion=complete_param
    ),
]
Vars = Annotated[str | None, typer.Option("--vars", help="Inputs from a JSON or YAML file; - is standard input.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Jsonl = Annotated[bool, typer.Option("--jsonl", help="Read and write one JSON value per line.")]
ApiOption = Annotated[
    Api | None, typer.Option("--api", help="API to use. Default: one that serves the model; otherwise the template's.")
]
OnLossOption = Annotated[OnLoss, on_loss_option("What to do about what the API cannot carry.")]
OutputFormat = Annotated[
    Output, typer.Option("--output-format", help="text, or annotations of GitHub's checks.")
]
NoIgnore = Annotated[
    bool, typer.Option("--no-ignore", help="Also search what .gitignore or `exclude` leaves out of a folder.")
]
Model = Annotated[str | None, typer.Option("--model", "-m", help="The model's name.", autocompletion=complete_model)]


def inputs_of(template: Any, pairs: list[str] | None, vars_file: str | None) -> dict[str, Any]:
    """Return the inputs of a template from ``-p`` and ``--vars``."""
    from .inputs import read_vars, typed

    given = pairs or []
    return typed(read_vars(given, vars_file), template, given)
