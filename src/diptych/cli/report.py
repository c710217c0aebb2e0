"""``diptych report``: one self-contained HTML file of what a person wants to look at."""

from __future__ import annotations

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from .options import Json, Pairs, Vars, complete_format, complete_model, complete_template

#: How much of a file tells whether it holds the results of a batch, in lines.
_HEAD = 20


#: How the names of manifests and of rejected rows end.
_MANIFEST, _REJECTS = ".manifest.json", ".rejects.jsonl"


class Kind(StrEnum):
    """What to show."""

    template = "template"
    conversion = "conversion"
    audit = "audit"
    batch = "batch"
    data = "data"


SubjectsArgument = Annotated[
    list[str],
    typer.Argument(
        help="A template; a prompt, request or reply; results of a batch; the manifest of a data migration; "
        "code or folders; or two templates, "
        "or two files of results, to compare.",
        autocompletion=complete_template,
    ),
]
OutputOption = Annotated[
    str | None, typer.Option("-o", "--output", help="The HTML file to write (default: standard output).")
]
ModelOption = Annotated[
    str | None,
    typer.Option("--model", "-m", help="Models to price for, with commas.", autocompletion=complete_model),
]


def report_command(
    subjects: SubjectsArgument,
    output: OutputOption = None,
    as_: Annotated[Kind | None, typer.Option("--as", help="What to show, where the subject does not tell.")] = None,
    param: Pairs = None,
    vars_file: Vars = None,
    data: Annotated[str | None, typer.Option("--data", help="JSONL of inputs, in place of the samples.")] = None,
    model: ModelOption = None,
    from_: Annotated[str, typer.Option("--from", help="A format.", autocompletion=complete_format)] = "auto",
    to: Annotated[str, typer.Option("--to", help="The format to convert to.", autocompletion=complete_format)] = "chat",
    json_: Json = False,
) -> None:
    """Show a template, a conversion, an audit, a batch, a data migration or the difference of two as one HTML file.

    diptych report translate -p text=Hello -o translate.html

    diptych report prompt.txt --to chat -o conversion.html

    diptych report src data -o audit.html

    diptych report chat.jsonl.manifest.json -o migration.html

    diptych report before.jsonl after.jsonl -o difference.html
    """
    from .output import write_document, write_text

    models = [name.strip() for name in (model or "").split(",") if name.strip()]
    kind = as_ or _kind_of(subjects)
    if kind is Kind.audit:
        document = _audit(subjects)
    elif kind is Kind.batch:
        document = _batch(subjects)
    elif kind is Kind.data:
        document = _data(_only(subjects))
    elif kind is Kind.conversion:
        document = _conversion(_only(subjects), from_, to)
    elif len(subjects) == 2:
        document = _versions(subjects, data, models)
    else:
        document = _template(_only(subjects), param, vars_file, data, models)
    if json_:
        write_document(**document)
        return
    from ..report.page import page_of

    page = page_of(document)
    if output is None:
        write_text(page)
        return
    Path(output).write_text(page, "utf-8", newline="\n")
    print(f"wrote {output} ({len(page.encode()):,} bytes)", file=sys.stderr)


def _only(subjects: list[str]) -> str:
    if len(subjects) > 1:
        raise typer.BadParameter(f"give one, or two templates or files of results to compare, not {len(subjects)}")
    return subjects[0]


def _kind_of(subjects: list[str]) -> Kind:
    """Return what subjects are: their endings tell, and what a file of lines holds."""
    if subjects[0].endswith(_MANIFEST):
        return Kind.data
    if any(os.path.isdir(name) or name.endswith((".py", ".ipynb")) for name in subjects):
        return Kind.audit
    if all(map(_holds_results, subjects)):
        return Kind.batch
    first = subjects[0]
    is_template = first.endswith((".jinja", ".jinja2", ".j2")) or not (first == "-" or os.path.exists(first))
    return Kind.template if is_template else Kind.conversion


def _holds_results(name: str) -> bool:
    from itertools import islice

    from ..client.results import parsed

    if not name.endswith((".jsonl", ".ndjson")) or not os.path.isfile(name):
        return False
    with open(name, "rb") as file:
        rows = [parsed(raw) for raw in islice(file, _HEAD)]
    return any(isinstance(row, dict) and "custom_id" in row and {"response", "error"} & row.keys() for row in rows)


def _template(
    name: str, pairs: list[str] | None, vars_file: str | None, data: str | None, models: list[str]
) -> dict[str, Any]:
    from ..report.templates import template_document
    from .count import model_of
    from .diff import rows_of
    from .inputs import find_template
    from .options import inputs_of

    found = find_template(name)
    samples: dict[str, Any] = rows_of(data) if data else found.samples
    if pairs or vars_file or not samples:
        samples = {"inputs as given": inputs_of(found, pairs, vars_file)}
    configured = model_of(None, found)
    return template_document(found, samples, models=models or ([configured] if configured else []))


def _versions(subjects: list[str], data: str | None, models: list[str]) -> dict[str, Any]:
    from ..report.versions import versions_document
    from .count import model_of
    from .diff import rows_of, template_of

    before, after = subjects
    samples = rows_of(data) if data else None
    one, two = template_of(before), template_of(after)
    model = models[0] if models else model_of(None, one if one.model else two)
    return versions_document(one, two, names=(before, after), model=model, samples=samples)


def _conversion(name: str, source: str, target: str) -> dict[str, Any]:
    from ..conversion.convert import convert
    from ..report.conversions import conversion_document
    from .values import read_value

    value = read_value(name, lines_hint="a report shows one conversion: give one value")
    result = convert(value, source=source, target=target, on_loss="ignore")
    title = "standard input" if name == "-" else Path(name).name
    return conversion_document(value, result, title=title, source=source, target=target)


def _audit(paths: list[str]) -> dict[str, Any]:
    from ..migrate.code.files import migrate_files
    from ..migrate.findings import audit
    from ..report.audits import audit_document

    return audit_document(audit(*paths), migrate_files(paths).files, title=", ".join(paths))


def _data(name: str) -> dict[str, Any]:
    from ..report.datasets import data_document
    from .inputs import read_data

    manifest = read_data(name)
    if not isinstance(manifest, dict) or not isinstance(manifest.get("counts"), dict):
        raise typer.BadParameter(f"{name} is not the manifest of a data migration: it has no counts")
    target = name.removesuffix(_MANIFEST)
    rejects = Path(f"{target}{_REJECTS}")
    lines = rejects.read_text("utf-8").splitlines() if rejects.is_file() else []
    return data_document(manifest, map(json.loads, lines), title=Path(target).name)


def _batch(names: list[str]) -> dict[str, Any]:
    from ..client.batch import read_results
    from ..report.batches import batch_document, runs_document

    if len(names) == 1:
        return batch_document(read_results(names[0]), title=Path(names[0]).name)
    if len(names) > 2:
        raise typer.BadParameter("give one file of results, or two to compare")
    before, after = (read_results(name) for name in names)
    return runs_document(before, after, title=" → ".join(Path(name).name for name in names))
