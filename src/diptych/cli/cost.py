"""``diptych cost``: what a request, a template or a file of requests may cost, one row per model.

How it works: what was given is told apart by its shape (a template, one value, one value per line) and
said on standard error. One request is estimated; many are priced together in constant memory.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from .count import explain_count, model_of, named_models
from .options import FileName, Json, Pairs, Vars

_TEMPLATES = (".jinja", ".jinja2", ".j2")


class By(StrEnum):
    """What the totals are grouped by, beside the model."""

    custom_id = "custom_id"
    template = "template"
    model = "model"


ModelOption = Annotated[
    str | None,
    typer.Option("--model", "-m", help="One model, or several with commas. Default: the model of the request."),
]
DataOption = Annotated[
    str | None, typer.Option("--data", help="Inputs of the template: a row per line (jsonl), or csv, or parquet.")
]
ColumnsOption = Annotated[
    list[str] | None, typer.Option("--map", help="input=column: the column of --data that an input comes from.")
]
OutputOption = Annotated[
    str | None,
    typer.Option(
        "--output",
        help="Tokens in a reply: a number, several (lengths of earlier replies), a file of earlier replies, "
        "`answers` (those in the file) or `column:NAME` (of --data).",
    ),
]
CachedOption = Annotated[
    int | None, typer.Option("--cached", min=0, help="Prompt tokens that are cached already.")
]
DateOption = Annotated[
    str | None,
    typer.Option(
        "--date",
        help="ISO day, or time where prices depend on the hour. Default: the day of the price book.",
    ),
]
EpochsOption = Annotated[
    int | None,
    typer.Option("--epochs", min=1, help="Price the file as training data, read so many times."),
]
MaxCostOption = Annotated[
    str | None,
    typer.Option("--max-cost", help="USD. Exit with status 1 if the cost may be higher, or is unknown."),
]


def cost_command(
    file: FileName,
    model: ModelOption = None,
    param: Pairs = None,
    vars_file: Vars = None,
    data: DataOption = None,
    columns: ColumnsOption = None,
    output: OutputOption = None,
    cached: CachedOption = None,
    batch: Annotated[bool, typer.Option("--batch", help="Use batch prices.")] = False,
    date: DateOption = None,
    epochs: EpochsOption = None,
    by: Annotated[By | None, typer.Option("--by", help="Group the totals of a file.")] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes. Default: one per core.")] = None,
    max_cost: MaxCostOption = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say where each number comes from.")] = False,
    json_: Json = False,
) -> None:
    """Estimate the cost of a request, a template or a file of requests, one row per model.

    FILE is a request body, messages, a text, a template, a JSON list of requests, or one value per line: bodies, a
    Batch file (requests or results), training data. --model wins over the model that a request names.

    diptych cost prompt.txt --model gpt-5.4-mini,gpt-5.4 --output 200

    diptych cost translate --data rows.csv --model gpt-5.4-mini --batch
    """
    from .cost_files import Asked, price_file
    from .cost_outputs import read_outputs
    from .cost_rows import requests_of
    from .cost_shown import print_bulk
    from .values import is_lines

    names, limit = named_models(model), None if max_cost is None else _usd(max_cost)
    outputs = read_outputs(output, names, has_data=data is not None)
    template = _template(file, asked=data is not None or bool(param) or vars_file is not None)
    if data is None and (template is not None or not (epochs or is_lines(file) or requests_of(file))):
        _one(file, template, param, vars_file, names, limit, outputs, cached, batch, date, explain=explain, json_=json_)
        return
    asked = Asked(tuple(names), outputs, cached, batch, epochs, None if by is None else by.value, date)
    priced = price_file(file if data is None else data, asked, template, columns or [], workers)
    print_bulk(priced, epochs=epochs, json_=json_)
    if priced.bulk.refused or _is_over_file(priced.bulk, limit):
        raise typer.Exit(1)


def _template(file: str, *, asked: bool) -> Any:
    """Return the template that FILE is, None where it is a value."""
    from .inputs import find_template, libraries

    is_named = file != "-" and not Path(file).exists() and any(file in library for _, library in libraries())
    return find_template(file) if asked or is_named or file.endswith(_TEMPLATES) else None


def _one(
    file: str,
    template: Any,
    param: list[str] | None,
    vars_file: str | None,
    names: list[str],
    limit: Decimal | None,
    outputs: Any,
    cached: int | None,
    batch: bool,
    date: str | None,
    *,
    explain: bool,
    json_: bool,
) -> None:
    """Estimate one request for each model."""
    from ..prices import estimate
    from .cost_shown import print_costs
    from .options import inputs_of
    from .output import write_document
    from .values import at_path, read_value, request_of

    if template is not None:
        value, path = template.render(**inputs_of(template, param, vars_file)), "$"
    else:
        value, path = request_of(
            read_value(file, lines_hint="put the lines into a .jsonl file: diptych cost FILE.jsonl prices each")
        )
    value, answer = outputs.taken(value)
    wanted: list[str | None] = [*names] if names else [model_of(None, value)]
    with at_path(path):
        own = value.get("model") if isinstance(value, dict) else None
        estimates = [
            estimate(
                value, model=name, output=outputs.length(answer, name or own), cached=cached, batch=batch, date=date
            )
            for name in wanted
        ]
    if json_ and len(estimates) == 1:
        write_document(**estimates[0].to_json())
    elif json_:
        write_document(estimates=[e.to_json() for e in estimates])
    elif explain:
        for e in estimates:
            _explain_cost(e)
    else:
        print_costs(estimates)
    if limit is not None:
        _check_cost(estimates, limit)


def _explain_cost(estimate: Any) -> None:
    """Print each line of an estimate: tokens and their rules, prices and their source and day."""
    from .output import write_text

    write_text(f"{estimate.model}\n")
    explain_count(estimate.prompt)
    for line in estimate.lines:
        note = f" ({line.note})" if line.note else ""
        rate = f"{line.rate.normalize():f} USD per million tokens"
        write_text(f"{line.cost.normalize():>14f} USD  {line.kind:<12}{line.tokens} x {rate}{note}\n")
    if estimate.cost is None:
        write_text(f"{'unknown':>14}      {estimate.reason or 'no price is known'}\n")
    else:
        write_text(f"{estimate.cost.expected.normalize():>14f} USD  expected\n")
        write_text(f"{'':>20}prices checked on {estimate.price_date or 'no stated day'}: {estimate.price_source}\n")
    for note in estimate.price_notes:
        write_text(f"{'':>20}{note}\n")
    for fee in estimate.not_included:
        write_text(f"{'not included':>14}      {fee}\n")


def _usd(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise typer.BadParameter(
            f"{text!r} is not an amount of USD; expected a number such as 0.5", param_hint="--max-cost"
        )
    return amount


def _check_cost(estimates: list[Any], limit: Decimal) -> None:
    for e in estimates:
        if e.cost is None:
            _say(f"{e.model}: the cost is unknown, so it cannot be compared with {limit} USD: {e.reason}")
        elif e.cost.high is None:
            _say(f"{e.model}: nothing bounds the cost, so it may exceed {limit} USD; set max_tokens in the request")
        elif e.cost.high > limit:
            _say(f"{e.model}: up to {e.cost.high:f} USD, over {limit} USD")
        else:
            continue
        raise typer.Exit(1)


def _is_over_file(bulk: Any, limit: Decimal | None) -> bool:
    """Say, and print, whether the rows of a file may cost more than the limit."""
    from ..prices.plain import usd

    for name, totals in {} if limit is None else bulk.totals.items():
        if totals.unpriced:
            said = f"the cost of {totals.unpriced:,} requests is unknown, so it cannot be compared with {limit} USD"
        elif totals.high is None:
            said = f"nothing bounds the cost, so it may exceed {limit} USD; set max_tokens in the requests"
        elif limit is not None and usd(totals.high) > limit:
            said = f"up to {usd(totals.high):f} USD, over {limit} USD"
        else:
            continue
        _say(f"{name}: {said}")
        return True
    return False


def _say(text: str) -> None:
    typer.echo(text, err=True)
