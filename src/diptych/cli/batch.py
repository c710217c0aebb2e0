"""``diptych batch``: a file of requests, sent live; what a kill interrupts is gone on with."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from .options import FileName, Json


def batch_command(
    file: FileName,
    out: Annotated[str, typer.Option("--out", "-o", help="The results file; lines are appended.")],
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, help="Calls at the same time.")] = 8,
    resume: Annotated[bool, typer.Option("--resume", help="Send only what the results file lacks.")] = False,
    max_cost: Annotated[str | None, typer.Option("--max-cost", help="USD; no call goes out beyond it.")] = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help="Another server, as http://host/v1.")] = None,
    json_: Json = False,
) -> None:
    """Send a file of requests in the shape of the Batch API, and append a result line for each.

    diptych batch requests.jsonl --out results.jsonl --resume --max-cost 2
    """
    from decimal import Decimal

    from ..client import Budget, Client
    from ..client.batch import run_batch
    from .config import setting
    from .output import write_document

    options: dict[str, Any] = {"budget": Budget(usd=Decimal(max_cost))} if max_cost is not None else {}
    line = _Line(file)
    with Client(setting("base_url", base_url), **options) as client:
        counts = run_batch(client, file, out, concurrency=concurrency, resume=resume, step=line.show)
    line.end()
    if json_:
        write_document(**counts.to_json(), out=out)
    else:
        print(
            f"{counts.done} done, {counts.failed} failed, {counts.skipped} done before; "
            f"{counts.tokens} tokens, {counts.cost} USD",
            file=sys.stderr,
        )
    if counts.failed:
        raise typer.Exit(1)


class _Line:
    """A line of progress on a terminal's standard error."""

    def __init__(self, file: str) -> None:
        self._begun, self._drawn = time.monotonic(), 0.0
        self._shown = sys.stderr.isatty()
        self._total = _lines_of(file) if self._shown else 0

    def show(self, counts: Any) -> None:
        """Draw the counts, at most ten times a second."""
        now = time.monotonic()
        if self._shown and now - self._drawn > 0.1:
            self._drawn = now
            rate = (counts.done + counts.failed) / max(now - self._begun, 1e-9)
            left = self._total - counts.done - counts.failed - counts.skipped
            what = f"{counts.done} done, {counts.failed} failed, {counts.tokens} tokens, {counts.cost} USD"
            eta = f", {left} left, {left / rate:,.0f} s" if rate and left >= 0 else ""
            sys.stderr.write(f"\r\x1b[K{what}, {rate:.1f}/s{eta} ")
            sys.stderr.flush()

    def end(self) -> None:
        """End the line."""
        if self._shown and self._drawn:
            sys.stderr.write("\n")


def _lines_of(file: str) -> int:
    """Return how many lines a file has, 0 where it cannot be read twice."""
    path = Path(file)
    if not path.is_file():
        return 0
    with path.open("rb") as lines:
        return sum(1 for line in lines if line.strip())
