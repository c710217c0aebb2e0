"""Data sets: their layout, rows, models, and what they cost before and after."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from ...conversion.registry import get
from ...errors import DiptychError
from ..data import parquet
from ..data.counts import cost_of
from ..data.files import blocks
from ..data.layout import resolve
from ..data.ref import ShardRef
from ..data.rows import loads, reader_of
from ..data.sources import source_of
from ..data.spec import Spec
from ..data.tokens import RowCounter
from .finding import Finding
from .models import dated_models, model_finding
from .prompts import AFTER, BEFORE

#: Rows that are converted to say what they cost; the rest is counted in proportion.
SAMPLE: Final = 2_000


def dataset_findings(file: Path, name: str) -> list[Finding]:
    """Return the finding of a data set, and those of the models that it names."""
    total, sample, bad = _read(file)
    rows = [row for row in sample if isinstance(row, Mapping)]
    facts: dict[str, Any] = {"layout": None, "rows": total, "sampled": len(sample) + bad, "bad": bad}
    try:
        (spec,) = resolve(Spec(on_loss="ignore"), [ShardRef(str(file))])
    except DiptychError as error:
        facts["reason"] = error.message
    else:
        facts |= {"layout": spec.source, **_cost(rows, spec, total)}
    models = {str(model) for row in rows if (model := _model_of(row)) is not None}
    found = [Finding("dataset", f"{name}:1:1", facts)]
    return found + [model_finding(model, f"{name}:1:1") for model in sorted(models) if model in dated_models()]


def _read(file: Path) -> tuple[int, list[Any], int]:
    """Return the number of rows, the first ones, and how many of those are not JSON."""
    source = source_of(file)
    if source.is_table:
        sample: list[Any] = []
        for _, row in parquet.rows(file):
            sample.append(row)
            if len(sample) == SAMPLE:
                break
        return sum(parquet.groups(file)), sample, 0
    total = bad = 0
    sample = []
    with source.opened() as lines:
        for block in blocks(lines):
            for line in block.split(b"\n"):
                if not line or line.isspace():
                    continue
                total += 1
                if len(sample) + bad < SAMPLE:
                    try:
                        sample.append(loads(line))
                    except DiptychError:
                        bad += 1
    return total, sample, bad


def _cost(rows: list[Mapping[str, Any]], spec: Spec, total: int) -> dict[str, Any]:
    """Return the tokens of all rows as they are and as Chat messages, by the sample; USD as input."""
    before, after = RowCounter(BEFORE), RowCounter(AFTER)
    read = reader_of(get(spec.source, "dataset"), spec.separators)
    old = new = unreadable = 0
    losses: set[str] = set()
    for row in rows:
        try:
            conversation, lost = read(row)
        except DiptychError:
            unreadable += 1
            continue
        old += before.row(row, spec.source)
        new += after.conversation(conversation)
        losses |= {loss.kind for loss in lost if loss.severity}
    factor = Decimal(total) / max(1, len(rows))
    usd = cost_of(AFTER, round(new * factor))
    facts = {"tokens_before": round(old * factor), "tokens_after": round(new * factor)}
    price = {"usd_after": None if usd is None else f"{usd.normalize():f}"}
    return facts | price | {"unreadable": unreadable, "losses": sorted(losses)}


def _model_of(row: Mapping[str, Any]) -> Any:
    body = row.get("body")
    return row.get("model") or (body.get("model") if isinstance(body, Mapping) else None)
