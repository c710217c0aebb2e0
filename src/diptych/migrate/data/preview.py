"""The first rows of a data set, before and after: what a conversion would write, without writing anything."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

from .counts import ShardCounts
from .files import blocks
from .folder import pairs_of
from .layout import resolve
from .parquet import rows as rows_of_table
from .ref import ShardRef
from .rows import Rows
from .sources import Source, faults_of, source_of
from .spec import Spec
from .storage import place


class Preview(NamedTuple):
    """A row before, the rows that it becomes, and the error where it would be among the rejects."""

    line: int
    before: Any
    after: list[Any]
    error: Mapping[str, Any] | None


def preview(
    src: str | os.PathLike[str], spec: Spec | Mapping[str, Any], most: int = 3, *, ignore: bool = True
) -> list[Preview]:
    """Return the first rows of a data set and what they become. Raises MigrationError as a conversion does.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.jsonl").write_text('{"question": "2+2?", "answer": "4"}')
    >>> preview(folder / "a.jsonl", {"to": "alpaca_row"})[0].after
    [{'instruction': '2+2?', 'input': '', 'output': '4'}]
    """
    source = place(src)
    (first, _), *_ = pairs_of(source, place("preview-of-nothing"), ignore=ignore)[0]
    ref = ShardRef(os.fspath(first))
    (asked,) = resolve(Spec.of(spec), [ref])
    rows = Rows(asked, ShardCounts())
    return list(islice(_previews(rows, source_of(first)), most))


def _previews(rows: Rows, source: Source) -> Iterator[Preview]:
    if source.is_table:
        for number, row in rows_of_table(source.path):
            yield _preview(number, row, *rows.row(number, row))
        return
    with source.opened() as file:
        rows.faults = faults_of(file)
        lines = (line for block in blocks(file) for line in block.removesuffix(b"\n").split(b"\n"))
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield _preview(number, line.decode("utf-8", "replace"), *rows.line(number, line))


def _preview(number: int, before: Any, good: bytes, bad: bytes) -> Preview:
    if isinstance(before, str):
        with suppress(ValueError, RecursionError):
            before = json.loads(before)
    error = json.loads(bad)["error"] if bad else None
    return Preview(number, before, [json.loads(line) for line in good.splitlines()], error)
