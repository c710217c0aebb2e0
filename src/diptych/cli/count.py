"""``diptych count`` and ``diptych cost``: tokens and money, before the call."""

from __future__ import annotations

import sys
import time
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer

from .options import FileName, Json, Jsonl, complete_model


def count_command(
    file: FileName,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", help="Default: the model of the request.", autocompletion=complete_model),
    ] = None,
    max_tokens: Annotated[
        int | None,
        typer.Option("--max-tokens", min=0, help="Exit with status 1 if the count exceeds this limit or is unknown."),
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say the rule and the source behind each line.")] = False,
    json_: Json = False,
    jsonl: Jsonl = False,
) -> None:
    """Count the tokens of a text, of messages, of a request body or of a line of a Batch file.

    --model wins over the model that a request names.

    diptych count prompt.txt --model gpt-5.4-mini --max-tokens 4000
    """
    from .output import write_document, write_text
    from .values import read_value

    _named(model)
    if jsonl:
        raise typer.Exit(_count_lines(file, model, max_tokens))
    counted = _count(read_value(file, lines_hint=f"diptych count {file} --jsonl counts each line"), model)
    if json_:
        write_document(**counted.to_json())
    elif explain:
        _explain(counted)
    else:
        write_text(f"{counted.tokens if counted.tokens is not None else 'unknown'}\n")
    if _is_over(counted, max_tokens):
        _say(_over(counted, max_tokens))
        raise typer.Exit(1)


def _named(model: str | None) -> list[str]:
    """Return the models of ``--model``: none where it is not given, a usage error where it is empty."""
    names = [name.strip() for name in (model or "").split(",") if name.strip()]
    if model is not None and not names:
        raise typer.BadParameter(
            "no model is named; leave --model out to take that of the request", param_hint="--model"
        )
    return names


def _model_of(flag: str | None, value: Any) -> str | None:
    """Return the model to count for: the flag, else None for the request's own, else the configured one."""
    from ..config import setting

    own = value.get("model") if isinstance(value, dict) else None
    return flag or (None if own is not None else setting("model") or None)


def _count(value: Any, model: str | None) -> Any:
    from ..tokens import count
    from .values import at_path, request_of

    value, path = request_of(value)
    with at_path(path):
        return count(value, model=_model_of(model, value))


def _explain(counted: Any) -> None:
    """Print each line of a count with its rule and where the rule comes from."""
    from ..tokens import explain
    from .output import write_text

    for item in counted.items:
        rule, source = explain(item.kind)
        write_text(f"{item.tokens:>8}  {item.basis:<12}{item.path:<28}{rule} ({source})\n")
    shown = "unknown" if counted.tokens is None else counted.tokens
    write_text(f"{shown:>8}  {counted.basis:<12}{counted.encoding or counted.reason}\n")


def _over(counted: Any, limit: int | None) -> str:
    if counted.tokens is None:
        return f"the count is unknown, so it cannot be compared with {limit}: {counted.reason}"
    return f"{counted.high if counted.high is not None else counted.tokens} tokens are more than {limit}"


def _is_over(counted: Any, limit: int | None) -> bool:
    if limit is None:
        return False
    highest = counted.high if counted.high is not None else counted.tokens
    return highest is None or highest > limit


def _count_lines(file: str, model: str | None, limit: int | None) -> int:
    from ..errors import DiptychError
    from .inputs import error_json, iter_jsonl
    from .output import write_json

    code = 0
    totals = Totals()
    for value in iter_jsonl(file):
        totals.start()
        try:
            if isinstance(value, DiptychError):
                raise value
            counted = _count(value, model)
            write_json(counted.to_json(), indent=None)
            totals.add(counted)
            code = max(code, int(_is_over(counted, limit)))
        except DiptychError as error:
            code = 1
            totals.refused += 1
            write_json(error_json(error), indent=None)
    totals.say()
    return code


class Totals:
    """What the lines of a file add up to: told on standard error, with a line of progress on a terminal."""

    def __init__(self) -> None:
        self.lines = self.refused = self.unknown = self.tokens = self.low = self.high = 0
        self._started = self._shown = time.monotonic()
        self._is_live = sys.stderr.isatty()

    def start(self) -> None:
        """Count one line begun; on a terminal show how far the file is, four times a second."""
        self.lines += 1
        now = time.monotonic()
        if self._is_live and now - self._shown > 0.25:
            self._shown = now
            rate = self.lines / (now - self._started)
            sys.stderr.write(f"\r{self.lines:,} lines, {self.tokens:,} tokens, {rate:,.0f} lines a second")

    def add(self, counted: Any) -> None:
        """Add the count of one line."""
        if counted.tokens is None:
            self.unknown += 1
            return
        self.tokens += counted.tokens
        self.low += counted.low
        self.high += counted.high

    def say(self) -> None:
        """Tell the totals."""
        spread = "" if self.low == self.high else f" ({self.low:,} to {self.high:,})"
        rest = "".join(f", {n:,} {what}" for n, what in ((self.unknown, "unknown"), (self.refused, "refused")) if n)
        clear = "\r\x1b[K" if self._is_live else ""
        sys.stderr.write(f"{clear}{self.lines:,} lines: {self.tokens:,} tokens{spread}{rest}\n")


def cost_command(
    file: FileName,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", help="One model, or several with commas. Default: the model of the request."),
    ] = None,
    output: Annotated[int | None, typer.Option("--output", min=0, help="Tokens that you expect in the answer.")] = None,
    cached: Annotated[
        int | None, typer.Option("--cached", min=0, help="Prompt tokens that are cached already.")
    ] = None,
    batch: Annotated[bool, typer.Option("--batch", help="Use batch prices.")] = False,
    max_cost: Annotated[
        str | None,
        typer.Option("--max-cost", help="USD. Exit with status 1 if the call may cost more, or the cost is unknown."),
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say where each number comes from.")] = False,
    json_: Json = False,
) -> None:
    """Estimate the cost of a call, one column per model.

    --model wins over the model that a request names.

    diptych cost prompt.txt --model gpt-5.4-mini,gpt-5.4 --output 200
    """
    from ..prices import estimate
    from .output import write_document
    from .values import at_path, read_value, request_of

    names, limit = _named(model), None if max_cost is None else _usd(max_cost)
    value, path = request_of(read_value(file, lines_hint=_split_hint(file)))
    wanted: list[str | None] = [*names] if names else [_model_of(None, value)]
    with at_path(path):
        estimates = [estimate(value, model=name, output=output, cached=cached, batch=batch) for name in wanted]
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


def _split_hint(file: str) -> str:
    return f"diptych count {file} --jsonl counts each line; to price a request, put it into a .json file of its own"


def _explain_cost(estimate: Any) -> None:
    """Print each line of an estimate: tokens and their rules, prices and their source and day."""
    from .output import write_text

    write_text(f"{estimate.model}\n")
    _explain(estimate.prompt)
    for line in estimate.lines:
        note = f" ({line.note})" if line.note else ""
        rate = f"{line.rate.normalize():f} USD a million tokens"
        write_text(f"{line.cost.normalize():>14f} USD  {line.kind:<12}{line.tokens} x {rate}{note}\n")
    if estimate.cost is None:
        write_text(f"{'unknown':>14}      {estimate.reason or 'no price is known'}\n")
    else:
        write_text(f"{estimate.cost.expected.normalize():>14f} USD  expected\n")
        write_text(f"{'':>20}prices of {estimate.price_date or 'no stated day'}: {estimate.price_source}\n")


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


def print_costs(estimates: list[Any]) -> None:
    """Print a row a model; where the terminal is narrow a block a model, so that no number is cut."""
    from .output import console

    rows = [_cost_row(e.to_json()) for e in estimates]
    widths = [max(len(name), *(len(row[name]) for row in rows)) for name in (rows[0] if rows else ())]
    if rows and sum(widths) + 3 * len(widths) + 1 <= console().width:
        _cost_table(rows)
    else:
        _cost_blocks(rows)
    for document in (e.to_json() for e in estimates):
        if document.get("reason"):
            _say(f"{document.get('model')}: {document['reason']}")


def _cost_row(document: dict[str, Any]) -> dict[str, str]:
    output, cost = document["output_tokens"] or {}, document["cost"] or {}
    low, expected, high = (_cell(output.get(name)) for name in ("low", "expected", "high"))
    return {
        "model": str(document.get("model") or "?"),
        "prompt": _cell(document["prompt_tokens"]),
        "output": expected if low == high == expected else f"{low} – {expected} – {high}",
        **{f"USD {name}": _cell(cost.get(name)) for name in ("low", "expected", "high")},
        "fits": _cell(document["fits_context"]),
        "prices of": _cell(document["price_date"]),
    }


def _cost_table(rows: list[dict[str, str]]) -> None:
    from rich.table import Table

    from .output import console

    table = Table(*rows[0])
    for row in rows:
        table.add_row(*row.values())
    console().print(table)


def _cost_blocks(rows: list[dict[str, str]]) -> None:
    from .output import write_text

    for row in rows:
        name = row.pop("model")
        write_text(f"{name}\n" + "".join(f"  {key:<13}{value}\n" for key, value in row.items()))


def _cell(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _say(text: str) -> None:
    typer.echo(text, err=True)
