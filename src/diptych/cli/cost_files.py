"""Price a file of requests: one value per line, or rows of inputs for a template.

How it works: a large file is cut into blocks at line breaks, which processes price; their totals
merge. A line that cannot be read or counted costs one message and nothing else.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..errors import DiptychError, FormatError
from .batch_lines import Line, read_line
from .cost_outputs import WITHOUT, Outputs
from .cost_rows import iter_lines, requests_of
from .count import model_of

if TYPE_CHECKING:
    from ..prices import Bulk

#: Bytes of a block that one process prices at a time.
_BLOCK: Final = 4 << 20
#: So many messages about bad lines are printed; the rest are counted.
_SHOWN: Final = 10


class Asked(NamedTuple):
    """The options of the command that concern every row."""

    models: tuple[str, ...] = ()
    output: Outputs = Outputs()
    cached: int | None = None
    batch: bool = False
    epochs: int | None = None
    by: str | None = None
    date: str | None = None


@dataclass
class Priced:
    """What the rows of a file cost, and what they were taken for."""

    bulk: Bulk
    took: dict[str, int] = field(default_factory=dict)

    def count(self, kind: str) -> None:
        """Count a row of this kind."""
        self.took[kind] = self.took.get(kind, 0) + 1

    def merge(self, other: Priced) -> None:
        """Add another part of the rows."""
        self.bulk.merge(other.bulk)
        for kind, number in other.took.items():
            self.took[kind] = self.took.get(kind, 0) + number


def price_file(file: str, asked: Asked, template: Any, columns: list[str], workers: int | None) -> Priced:
    """Price every row of a file. Bad rows are reported on standard error and counted as refused."""
    if template is not None:
        return _with_errors(lambda report: _price_rows(file, asked, template, columns, report))
    if (listed := requests_of(file)) is not None:
        return _with_errors(lambda report: _price_lines(listed, asked, report))
    if file == "-" or os.path.getsize(file) <= _BLOCK or workers == 1:
        return _with_errors(lambda report: _price_lines(iter_lines(file), asked, report))
    return _with_errors(lambda report: _price_blocks(file, asked, workers or os.cpu_count() or 1, report))


class _Report:
    """Messages about bad rows: the first ones are printed."""

    def __init__(self) -> None:
        self.shown = 0

    def __call__(self, place: str, message: str) -> None:
        self.shown += 1
        if self.shown <= _SHOWN:
            print(f"{place}: {message}", file=sys.stderr)


def _with_errors(price: Any) -> Priced:
    report = _Report()
    found: Priced = price(report)
    if report.shown > _SHOWN:
        print(f"{report.shown - _SHOWN:,} more rows were refused", file=sys.stderr)
    return found


def _new(asked: Asked) -> Priced:
    from ..prices import Bulk

    output, cached, batch = asked.output.expected, asked.cached, asked.batch
    return Priced(Bulk(asked.models, output=output, cached=cached, batch=batch, date=asked.date))


# lines ---------------------------------------------------------------------------------


def _price_lines(lines: Iterable[tuple[str, bytes]], asked: Asked, report: Any) -> Priced:
    priced, progress = _new(asked), _Progress()
    for place, line in lines:
        if not line.strip():
            continue
        progress.show(priced.bulk)
        try:
            price_value(priced, json.loads(line.decode().lstrip("\ufeff")), asked, place)
        except (ValueError, RecursionError) as error:
            priced.bulk.requests += 1
            priced.bulk.refused += 1
            report(place, f"not valid JSON: {error}" if isinstance(error, ValueError) else "nested too deeply")
        except DiptychError as error:
            report(place, str(error).replace("\n", " "))
    progress.end()
    return priced


def price_value(priced: Priced, value: Any, asked: Asked, place: str) -> None:
    """Price the value of one line, and say what it was taken for."""
    key, line = place, read_line(value)
    if line is not None:
        if line.failed or line.reply is not None:
            return _price_result(priced, line, asked)
        key, value, kind = line.key, line.body, "Batch requests"
    else:
        kind = "texts" if isinstance(value, str) else "messages" if isinstance(value, list) else "request bodies"
    if not isinstance(value, str | list | dict):
        priced.bulk.requests += 1
        priced.bulk.refused += 1
        raise FormatError("expected a request body, messages or a text", path="$")
    value, answer = asked.output.taken(value)
    model = None if asked.models else model_of(None, value)
    group = key if asked.by == "custom_id" else None
    priced.bulk.add(value, key=key, model=model, group=group, answer=answer)
    is_talk = not isinstance(value, dict) or not {"messages", "prompt"}.isdisjoint(value)
    if asked.output.of_rows and answer is None and is_talk:
        priced.count(WITHOUT)
    priced.count("training examples" if asked.epochs else kind)
    return None


def _price_result(priced: Priced, line: Line, asked: Asked) -> None:
    """Price a result of a Batch file by the usage that it reports; a call that failed costs nothing."""
    if line.failed:
        return priced.count("failed results (no cost)")
    priced.count("Batch results")
    group = line.key if asked.by == "custom_id" else None
    model = line.model or (asked.models[0] if asked.models else "")
    return priced.bulk.add_usage(line.usage, model=model, key=line.key, batch=True, group=group)


# blocks and processes ------------------------------------------------------------------


def _price_blocks(file: str, asked: Asked, workers: int, report: Any) -> Priced:
    from concurrent.futures import ProcessPoolExecutor

    priced, progress = _new(asked), _Progress()
    with ProcessPoolExecutor(workers) as pool:
        waiting: list[Any] = []
        for task in _blocks(file):
            waiting.append(pool.submit(_price_block, file, *task, asked))
            if len(waiting) > 2 * workers:  # so many results at most wait to be merged
                _take(priced, waiting.pop(0).result(), report)
                progress.show(priced.bulk)
        for done in waiting:
            _take(priced, done.result(), report)
    progress.end()
    return priced


def _take(priced: Priced, result: tuple[Priced, list[tuple[str, str]]], report: Any) -> None:
    part, errors = result
    priced.merge(part)
    for place, message in errors:
        report(place, message)


def _blocks(file: str) -> Iterator[tuple[int, int, int]]:
    """Yield the start, the size and the first line's number of blocks that end in line breaks."""
    start, line = 0, 1
    with open(file, "rb") as stream:
        while block := stream.read(_BLOCK):
            rest = stream.readline()
            size = len(block) + len(rest)
            yield start, size, line
            start, line = start + size, line + block.count(b"\n") + rest.count(b"\n")


def _price_block(file: str, start: int, size: int, line: int, asked: Asked) -> tuple[Priced, list[tuple[str, str]]]:
    with open(file, "rb") as stream:
        stream.seek(start)
        lines = stream.read(size).split(b"\n")
    errors: list[tuple[str, str]] = []
    numbered = ((f"{file}:{number}", text) for number, text in enumerate(lines, line))
    return _price_lines(numbered, asked, lambda *error: errors.append(error)), errors


class _Progress:
    """A line of progress on a terminal's standard error, four times a second."""

    def __init__(self) -> None:
        self._begun = self._shown = time.monotonic()
        self._is_live = sys.stderr.isatty()

    def show(self, bulk: Bulk) -> None:
        """Show how far the file is."""
        if not self._is_live or time.monotonic() - self._shown < 0.25:
            return
        self._shown = time.monotonic()
        rate = bulk.requests / (self._shown - self._begun)
        sys.stderr.write(f"\r{bulk.requests:,} requests, {rate:,.0f} per second")

    def end(self) -> None:
        """Clear the line."""
        if self._is_live:
            sys.stderr.write("\r\x1b[K")


# a template and its rows ---------------------------------------------------------------


def _price_rows(file: str, asked: Asked, template: Any, columns: list[str], report: Any) -> Priced:
    from .cost_rows import columns_of, inputs_of, iter_rows

    priced, progress, named = _new(asked), _Progress(), columns_of(columns)
    for place, row in iter_rows(file):
        progress.show(priced.bulk)
        try:
            if isinstance(row, FormatError):
                raise row
            answer = asked.output.of_column(row)
            rendered = template.render(**inputs_of(template, row, named))
        except DiptychError as error:
            priced.bulk.requests += 1
            priced.bulk.refused += 1
            report(place, str(error).replace("\n", " "))
            continue
        priced.count("rows of inputs")
        model = None if asked.models else model_of(None, rendered)
        group = template.name if asked.by == "template" else None
        priced.bulk.add(rendered, key=place, model=model, group=group, answer=answer)
    progress.end()
    return priced
