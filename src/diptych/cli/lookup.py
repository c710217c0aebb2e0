"""``diptych templates``, ``formats``, ``models``, ``explain``: look things up."""

from __future__ import annotations

import inspect
import sys
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from ..suggest import suggest
from .commands import Application
from .options import Json, TemplateName


class Kind(StrEnum):
    """The kinds of formats."""

    text = "text"
    api = "api"
    dataset = "dataset"


#: At most this many names are suggested for one.
_NEAR: Final = 3

templates_app = Application(no_args_is_help=True, help="Look at the templates there are.")


@templates_app.command("list")
def templates_list(json_: Json = False) -> None:
    """List the templates of your folders and of the stock gallery."""
    from .inputs import libraries, stem
    from .output import write_document

    rows: dict[str, dict[str, Any]] = {}
    for place, library in libraries():
        for name in library:
            if not name.startswith("partials/") and stem(name) not in rows:
                template = library[name]
                rows[stem(name)] = {"name": stem(name), "from": place, "description": template.description}
    if json_:
        write_document(templates=list(rows.values()))
    else:
        _table(["template", "from", "what for"], [[r["name"], r["from"], r["description"]] for r in rows.values()])


@templates_app.command("show")
def templates_show(template: TemplateName, json_: Json = False) -> None:
    """Show a template's source, or with --json what it declares."""
    from .inputs import find_template
    from .output import write_document, write_text

    found = find_template(template)
    if not json_:
        write_text(found.source)
        return
    write_document(
        name=found.name, description=found.description, model=found.model, params=found.params,
        input_schema=found.input_schema, variables=sorted(found.variables), hash=found.hash, source=found.source,
    )  # fmt: skip


@templates_app.command("path")
def templates_path(json_: Json = False) -> None:
    """Print where templates are looked for, in order."""
    from .inputs import gallery, libraries
    from .output import write_document, write_text

    places = [str(gallery()) if place == "stock" else place for place, _ in libraries()]
    if json_:
        write_document(paths=places)
    else:
        write_text("".join(f"{place}\n" for place in places))


def formats_command(
    kind: Annotated[Kind | None, typer.Option("--kind", help="List only the formats of this kind.")] = None,
    json_: Json = False,
) -> None:
    """List the formats, what each maps, and whether it is read or written.

    Formats of other distributions that cannot be used are reported on standard error.
    """
    from ..conversion.registry import broken, list_formats
    from .output import write_document

    entries = list_formats(kind.value if kind else None)
    for problem in broken():
        print(f"warning: {problem}", file=sys.stderr)
    if json_:
        write_document(
            formats=[{"name": f.name, "kind": f.kind, "direction": f.direction, "mapping": f.mapping} for f in entries]
        )
    else:
        _table(["format", "kind", "direction", "mapping"], [[f.name, f.kind, f.direction, f.mapping] for f in entries])


def models_command(
    name: Annotated[str | None, typer.Argument(help="Only models whose name holds this.")] = None,
    provider: Annotated[str | None, typer.Option("--provider", help="Only models of this provider.")] = None,
    api: Annotated[str | None, typer.Option("--api", help="Only models that their vendor serves by this API.")] = None,
    ended: Annotated[bool, typer.Option("--ended", help="Also models whose last day is past.")] = False,
    json_: Json = False,
) -> None:
    """List models with the APIs that serve them, their window, prices per million tokens, and last day.

    With --json also: encoding, limits, refused parameters, prefill, and the date and source of each fact.

    diptych models gpt-5 --api responses
    """
    from datetime import date

    from ..prices import list_models
    from .output import write_document

    today = date.today().isoformat()
    rows = [
        model.to_json()
        for model in list_models()
        if (name is None or name in model.name)
        and (provider is None or provider == model.provider)
        and (api is None or api in (model.apis or ()))
        and (ended or json_ or name is not None or model.shutdown_date is None or model.shutdown_date >= today)
    ]
    if not rows:
        typer.echo(_no_model(name), err=True)
    if json_:
        write_document(models=rows)
    else:
        _print_models(rows)
    if not rows:
        raise typer.Exit(1)


def _no_model(name: str | None) -> str:
    """Say that no model was found, with the names that hold the same letters and digits, or are alike."""
    from ..prices import list_models

    if name is None:
        return "no model matches; leave out --provider or --api to see more"
    known = [model.name for model in list_models()]
    if any(name in one for one in known):
        return f"no model with {name!r} in its name matches --provider and --api"
    near = sorted((one for one in known if _bare(name) and _bare(name) in _bare(one)), key=len)[:_NEAR]
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else suggest(name, known)
    return f"no model has {name!r} in its name; {hint}"


def _bare(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))


def _print_models(rows: list[dict[str, Any]]) -> None:
    from .cost_shown import print_rows

    # Models without a last day stand first within a provider: they are the ones to choose from.
    rows.sort(
        key=lambda row: (row["provider"] != "openai", row["provider"] or "", bool(row["shutdown_date"]), row["name"])
    )
    print_rows([_model_cells(row) for row in rows])
    for row in rows:
        for note in row["price_notes"]:
            typer.echo(f"{row['name']}: {note}", err=True)


def _model_cells(row: dict[str, Any]) -> dict[str, str]:
    last = [row["shutdown_date"], row["replacement"] and f"then {row['replacement']}"]
    window = row["context_window"]
    return {
        "model": row["name"],
        "APIs": ", ".join(row["apis"] or ()),
        "window": f"{window:,}" if window else "",
        "input": row["input"] or "",
        "output": row["output"] or "",
        "last day": " ".join(filter(None, last)),
    }


def explain_command(
    code: Annotated[str, typer.Argument(help="A code of check, of an error or a refusal, or a kind of loss.")],
    json_: Json = False,
) -> None:
    """Explain a code of check, an error's code, a kind of loss, or why a code migration refuses.

    diptych explain undefined-input
    """
    from .output import write_document, write_text

    known = _explanations()
    if code not in known:
        raise typer.BadParameter(f"there is no code {code!r}; {suggest(code, known)}")
    if json_:
        write_document(code=code, explanation=known[code])
    else:
        write_text(f"{code}\n\n{known[code]}\n")


def _explanations() -> dict[str, str]:
    from .. import errors, loss
    from ..migrate.code import CODES
    from ..templating.check import all_rules

    found = {
        cls.error_code: inspect.cleandoc(cls.__doc__ or "")
        for cls in vars(errors).values()
        if isinstance(cls, type) and issubclass(cls, errors.DiptychError)
    }
    for kind, (severity, meaning) in loss.KINDS.items():
        found[kind] = f"Severity: {severity.name.lower()}. {meaning[:1].upper()}{meaning[1:]}."
    for rule in all_rules():
        found[rule.code] = f"{rule.name}: {rule.explanation}\n\nfound:\n{_block(rule.bad)}\nright:\n{_block(rule.good)}"
    for name, (reason, hint) in CODES.items():
        found.setdefault(name, f"A refusal of `diptych migrate code`: {reason}.\nwhat to do: {hint}.")
    return found


def _block(text: str) -> str:
    text = text.encode("utf-8", "backslashreplace").decode()
    shown = text if len(text) < 400 else f"{text[:200]} …"
    return "\n".join(f"    {line}" for line in shown.split("\n"))


def _table(columns: list[str], rows: list[list[Any]]) -> None:
    from rich.table import Column, Table
    from rich.text import Text

    from .output import console

    table = Table(Column(columns[0], no_wrap=True), *columns[1:])  # a shortened name looks up nothing
    for row in rows:
        table.add_row(*[Text("" if cell is None else str(cell)) for cell in row])
    console().print(table)
