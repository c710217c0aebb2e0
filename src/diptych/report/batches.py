"""The results of a batch, and two runs of one: answers, usage, cost, failures with their reasons."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ..client.results import SECONDS
from ..conversion.responses import convert_response
from ..errors import DiptychError
from ..prices.usage import price_usage
from ..prices.values import plain

#: The two sides of a difference.
_SIDES = ("before", "after")


def batch_document(results: Mapping[str, Mapping[str, Any]], *, title: str) -> dict[str, Any]:
    """Return the document of results by their ids, as ``read_results`` gives them.

    >>> row = {"custom_id": "a", "response": None, "error": {"code": "timeout", "message": "too late"}}
    >>> batch_document({"a": row}, title="run")["reasons"]
    [{'reason': 'too late', 'count': 1, 'example': 'a: too late'}]
    """
    rows = [row_of(id_, result) for id_, result in results.items()]
    failed = [row for row in rows if row["error"]]
    return {
        "kind": "batch",
        "title": title,
        "facts": [("results", f"{len(rows):,}"), ("failed", f"{len(failed):,}"), *_money(rows), *_latency(rows)],
        "reasons": _reasons(failed),
        "models": _by_model(rows),
        "rows": rows,
        "timed": any(row["seconds"] is not None for row in rows),
    }


def runs_document(
    before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]], *, title: str
) -> dict[str, Any]:
    """Return the document of two runs: the rows whose answers differ, and both sums."""
    sides = [{id_: row_of(id_, result) for id_, result in side.items()} for side in (before, after)]
    ids = list(dict.fromkeys([*before, *after]))
    first, second = sides
    changed = [id_ for id_ in ids if _said(first.get(id_)) != _said(second.get(id_))]
    rows = [{"id": id_, "before": first.get(id_), "after": second.get(id_)} for id_ in changed]
    facts = [("rows", f"{len(ids):,}"), ("different", f"{len(rows):,}")]
    for name, side in zip(_SIDES, sides, strict=True):
        told = [*side.values()]
        facts += [(f"{fact} {name}", value) for fact, value in [*_money(told), *_latency(told)]]
    return {"kind": "runs", "title": title, "facts": facts, "rows": rows}


def row_of(id_: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a page shows of one result."""
    response = result.get("response") or {}
    body, error = response.get("body"), _error(result)
    row: dict[str, Any] = {"id": id_, "error": error, "text": None, "note": "", "model": "", "prompt_tokens": None}
    row |= {"output_tokens": None, "cost": None, "seconds": response.get(SECONDS)}
    return row | _answer(body) if isinstance(body, Mapping) and error is None else row


def _error(result: Mapping[str, Any]) -> str | None:
    error, response = result.get("error"), result.get("response") or {}
    status = response.get("status_code")
    if error is None and isinstance(status, int) and status >= 400:
        body = response.get("body")
        error = body.get("error") if isinstance(body, Mapping) else None
        return f"status {status}: {_message(error)}"
    return _message(error) if error is not None else None


def _message(error: Any) -> str:
    return str(error.get("message") or error.get("code")) if isinstance(error, Mapping) else str(error)


def _answer(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return text, model, tokens and cost of an answer of any API; what is not understood is said."""
    model = str(body.get("model") or body.get("modelVersion") or "")
    try:
        chat = convert_response(body, to="chat", on_loss="ignore").output
    except DiptychError as error:
        return {"model": model, "note": f"not understood: {error.message}"}
    usage, choices = chat.get("usage") or {}, chat["choices"]
    texts = [_text(choice["message"]) for choice in choices]
    known = {"prompt_tokens": usage.get("prompt_tokens"), "output_tokens": usage.get("completion_tokens")}
    return {"model": model, "text": "\n———\n".join(texts), **known, "cost": _cost(model, body, usage)}


def _text(message: Mapping[str, Any]) -> str:
    calls = [f"[tool call: {_call(call)}]" for call in message.get("tool_calls") or ()]
    content = message.get("content") or message.get("refusal") or ""
    return "\n".join([content, *calls]) if content else "\n".join(calls)


def _call(call: Mapping[str, Any]) -> str:
    function = call.get("function") or call.get("custom") or {}
    return f"{function.get('name')}({function.get('arguments', function.get('input', ''))})"


def _cost(model: str, body: Mapping[str, Any], usage: Mapping[str, Any]) -> str | None:
    reported = body.get("usage") or body.get("usageMetadata") or usage
    tier = body.get("service_tier")
    price = price_usage(model, reported, service_tier=tier if isinstance(tier, str) else None) if reported else None
    return None if price is None else plain(price.normalize())


# sums ---------------------------------------------------------------------------------------------


def _money(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    known = [Decimal(row["cost"]) for row in rows if row["cost"] is not None]
    lacking = sum(row["cost"] is None and row["error"] is None for row in rows)
    said = f"{plain(sum(known, Decimal(0)).normalize())} USD" if known else "unknown"
    return [("cost", said + (f" ({lacking:,} answers without a known price)" if lacking and known else ""))]


def _latency(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the seconds of a call at the median, at the 95th percentile and of the slowest, where they are stated."""
    known = sorted(row["seconds"] for row in rows if isinstance(row["seconds"], int | float))
    if not known:
        return []
    middle, late = known[(len(known) - 1) // 2], known[math.ceil(0.95 * len(known)) - 1]
    return [("latency", f"{middle:g} s median, {late:g} s at 95 %, {known[-1]:g} s at most")]


def _reasons(failed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in failed:
        groups[row["error"].partition("\n")[0]].append(row)
    found = [
        {"reason": reason, "count": len(rows), "example": f"{rows[0]['id']}: {rows[0]['error']}"}
        for reason, rows in groups.items()
    ]
    return sorted(found, key=lambda one: -int(one["count"]))


def _by_model(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["error"] is None:
            groups[row["model"]].append(row)
    return [_model(name, rows) for name, rows in groups.items()]


def _model(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    known = [Decimal(row["cost"]) for row in rows if row["cost"] is not None]
    tokens = {key: sum(row[key] or 0 for row in rows) for key in ("prompt_tokens", "output_tokens")}
    cost = plain(sum(known, Decimal(0)).normalize()) if known else None
    return {"model": name, "answers": len(rows), **tokens, "cost": cost, "unpriced": len(rows) - len(known)}


def _said(row: Mapping[str, Any] | None) -> Any:
    return None if row is None else (row["error"], row["text"], row["note"])
