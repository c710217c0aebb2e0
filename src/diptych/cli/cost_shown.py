"""What ``diptych cost`` prints: a row per model, or a block per model where a row does not fit.

Rule: no number of money is ever cut or wrapped.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cost_files import Priced


def print_costs(estimates: list[Any]) -> None:
    """Print the estimates of one request."""
    documents = [e.to_json() for e in estimates]
    print_rows([_cost_row(document) for document in documents])
    for document in documents:
        _say_likely(str(document.get("model")), document)
        for note in document.get("price_notes", ()):
            _say(f"{document.get('model')}: {note}")
        for fee in document.get("not_included", ()):
            _say(f"{document.get('model')}: not included: {fee}")
        if document.get("reason"):
            _say(f"{document.get('model')}: {document['reason']}")


def print_rows(rows: list[dict[str, str]]) -> None:
    """Print a row each; where the terminal is narrow a block each, so that no number is cut."""
    from .output import console

    widths = [max(len(name), *(len(row[name]) for row in rows)) for name in (rows[0] if rows else ())]
    if rows and sum(widths) + 3 * len(widths) + 1 <= console().width:
        _table(rows)
    else:
        _blocks(rows)


def print_bulk(priced: Priced, *, epochs: int | None, json_: bool) -> None:
    """Print what the rows of a file cost."""
    from .output import write_document

    document = {"took": priced.took, **priced.bulk.to_json()}
    if epochs:
        document["training"] = _training(document, epochs)
    if json_:
        write_document(**document, **_of_one_model(document["totals"]))
        return
    took = ", ".join(f"{number:,} {kind}" for kind, number in priced.took.items()) or "nothing"
    refused = f"; {document['refused']:,} refused" if document["refused"] else ""
    _say(f"read {took}{refused}")
    if epochs:
        print_rows([{"model": name, **row} for name, row in document["training"].items()])
        return
    for kind, rows in (("model", document["totals"]), ("group", document.get("groups", {}))):
        print_rows([_bulk_row(kind, name, row) for name, row in rows.items()])
        for name, row in rows.items():
            if row.get("reason"):
                _say(f"{name}: {row['unpriced']:,} of {row['requests']:,} have no price: {row['reason']}")
    _say_details(document)


def _of_one_model(totals: dict[str, Any]) -> dict[str, Any]:
    """Return the sums of a file for one model by the names that one request has."""
    if len(totals) != 1:
        return {}
    ((name, row),) = totals.items()
    return {"model": name, **{key: row[key] for key in ("prompt_tokens", "output_tokens", "cost")}}


def _training(document: dict[str, Any], epochs: int) -> dict[str, dict[str, str]]:
    from ..prices.training import training_cost

    found = {}
    for name, row in document["totals"].items():
        tokens = row["prompt_tokens"]
        cost, reason = training_cost(name, tokens, epochs)
        found[name] = {"examples": f"{row['requests']:,}", "tokens": f"{tokens:,}", "epochs": str(epochs),
                       "USD": reason if cost is None else format(cost, "f")}  # fmt: skip
    return found


def _say_details(document: dict[str, Any]) -> None:
    """Print on standard error what stands beside the totals: percentiles, the dearest rows, the cache."""
    for name, row in document["totals"].items():
        for note in row.get("price_notes", ()):
            _say(f"{name}: {note}")
        _say_likely(name, row)
        if row["cost"] is None or row["requests"] < 2:
            continue
        _say(f"{name}: per request " + ", ".join(f"{share} {usd} USD" for share, usd in row["percentiles"].items()))
        for one in row["dearest"][:3]:
            _say(f"  {one['row']}: {one['prompt_tokens']:,} tokens, {one['cost']} USD")
        if size := document["common_prefix_tokens"]:
            _say(f"  all begin with the same {size:,} tokens: a prompt cache would save up to {row['cache_saves']} USD")


def _say_likely(name: str, row: dict[str, Any]) -> None:
    if likely := row.get("likely"):
        _say(f"{name}: 8 times in 10 between {likely['p10']} and {likely['p90']} USD, as long as earlier replies were")


def _bulk_row(kind: str, name: str, row: dict[str, Any]) -> dict[str, str]:
    cost = row["cost"] or {}
    return {
        kind: name,
        "requests": _cell(row["requests"]),
        "prompt": _cell(row["prompt_tokens"]),
        "output": _cell(row["output_tokens"]["expected"]),
        **{f"USD {part}": _cell(cost.get(part)) for part in ("low", "expected", "high")},
        "standard": _cell(row["standard"]),
        "batch": _cell(row["batch"]),
    }


def _cost_row(document: dict[str, Any]) -> dict[str, str]:
    output, cost = document["output_tokens"] or {}, document["cost"] or {}
    low, expected, high = (_cell(output.get(name)) for name in ("low", "expected", "high"))
    return {
        "model": str(document.get("model") or "?"),
        "prompt": _cell(document["prompt_tokens"]),
        "output": expected if low == high == expected else f"{low} – {expected} – {high}",
        **{f"USD {name}": _cell(cost.get(name)) for name in ("low", "expected", "high")},
        "fits": _cell(document["fits_context"]),
        "price checked": _cell(document["price_date"]),
    }


def _table(rows: list[dict[str, str]]) -> None:
    from rich.table import Table

    from .output import console

    table = Table(*rows[0])
    for row in rows:
        table.add_row(*row.values())
    console().print(table)


def _blocks(rows: list[dict[str, str]]) -> None:
    from .output import write_text

    for row in rows:
        (_, name), *rest = row.items()
        write_text(f"{name}\n" + "".join(f"  {key:<13}{value}\n" for key, value in rest))


def _cell(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _say(text: str) -> None:
    print(text, file=sys.stderr)
