"""``diptych batch``: a file of requests, sent live; what a kill interrupts is continued."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from .options import FileName, Json

if TYPE_CHECKING:
    from ..client.batch import BatchCounts

#: What to do about lines that a budget held back.
_HINTS: Final = {
    "over the budget": "raise --max-cost or lower max_tokens in the requests, then run again with --resume",
    "no output cap": "set max_tokens in the requests: --max-cost needs a bound for each",
    "no known price": "name a model with a known price, or leave --max-cost out",
}


def batch_command(
    file: FileName,
    out: Annotated[
        str, typer.Option("--out", "-o", help="The results file; lines are appended. One run at a time writes to it.")
    ],
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, help="Calls at the same time.")] = 8,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue a results file: send only the requests without a result.")
    ] = False,
    max_cost: Annotated[str | None, typer.Option("--max-cost", help="USD; no call goes out beyond it.")] = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help="Another server, as http://host/v1.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what the requests may cost; send nothing.")] = False,
    json_: Json = False,
) -> None:
    """Send a file of requests in the shape of the Batch API, and append a result line for each.

    Exit with status 1 if any request failed or was held back by --max-cost, 130 on Ctrl-C.

    diptych batch requests.jsonl --out results.jsonl --resume --max-cost 2
    """
    from ..client import Budget, Client
    from ..client.batch import run_batch
    from ..config import setting
    from .cost import cost_command
    from .output import write_document

    if dry_run:
        cost_command(file, max_cost=max_cost, json_=json_)
        return
    options: dict[str, Any] = {"budget": Budget(usd=max_cost)} if max_cost is not None else {}
    with _requests(file) as source, Client(setting("base_url", base_url), **options) as client:
        line = _Line(source)
        try:
            counts = run_batch(client, source, out, concurrency=concurrency, resume=resume, step=line.show)
        except KeyboardInterrupt:
            line.end()
            done = f" ({_summary(line.counts)})" if line.counts else ""
            print(f"interrupted{done}; run again with --resume to send the rest", file=sys.stderr)
            raise
    line.end()
    if json_:
        write_document(**counts.to_json(), out=out)
    else:
        print(_summary(counts), file=sys.stderr)
    _say_reasons(counts)
    if counts.failed:
        raise typer.Exit(1)


@contextlib.contextmanager
def _requests(file: str) -> Iterator[str]:
    """Give the name of a file with the requests: standard input is written to one, since it is read twice."""
    if file != "-":
        yield file
        return
    import shutil
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "-")  # errors name it
        with path.open("wb") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        yield str(path)


def _summary(counts: BatchCounts) -> str:
    return (
        f"{counts.done} done, {counts.failed} failed, {counts.skipped} done before; "
        f"{counts.tokens} tokens, {_cost(counts)}"
    )


def _cost(counts: BatchCounts) -> str:
    if not counts.unpriced:
        return f"{counts.cost} USD"
    unknown = "1 reply" if counts.unpriced == 1 else f"{counts.unpriced} replies"
    known = "" if counts.unpriced == counts.done else f"{counts.cost} USD and "
    return f"{known}the unknown cost of {unknown}"


def _say_reasons(counts: BatchCounts) -> None:
    """Print why requests failed, one line per reason."""
    for name, reason in counts.ordered():
        print(f"{reason.count} × {name}: {reason.example}", file=sys.stderr)
        if name in _HINTS:
            print(f"hint: {_HINTS[name]}", file=sys.stderr)


class _Line:
    """A line of progress on a terminal's standard error."""

    def __init__(self, file: str) -> None:
        self._begun, self._drawn = time.monotonic(), 0.0
        self._shown = sys.stderr.isatty()
        self._total = _lines_of(file) if self._shown else 0
        self.counts: BatchCounts | None = None

    def show(self, counts: BatchCounts) -> None:
        """Draw the counts, at most ten times a second."""
        self.counts = counts
        now = time.monotonic()
        if self._shown and now - self._drawn > 0.1:
            self._drawn = now
            rate = (counts.done + counts.failed) / max(now - self._begun, 1e-9)
            left = self._total - counts.done - counts.failed - counts.skipped
            what = f"{counts.done} done, {counts.failed} failed, {counts.tokens} tokens, {_cost(counts)}"
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
