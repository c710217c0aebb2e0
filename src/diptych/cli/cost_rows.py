"""The rows of a file of inputs for a template: JSON lines, CSV, Parquet, and how their columns are named."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ..errors import FormatError, MissingExtra
from .batch_lines import read_line

#: What a request has that is not a message.
_REQUESTS: Final = frozenset({"messages", "prompt", "input", "contents"})


def iter_lines(file: str) -> Iterator[tuple[str, bytes]]:
    """Yield the place and the bytes of each line of a file, or of standard input."""
    shown = "<stdin>" if file == "-" else file
    stream = sys.stdin.buffer if file == "-" else open(file, "rb")  # noqa: SIM115 - closed below
    try:
        for number, line in enumerate(stream, 1):
            yield f"{shown}:{number}", line
    finally:
        if file != "-":
            stream.close()


def requests_of(file: str) -> list[tuple[str, bytes]] | None:
    """Return the requests of a file that is one JSON list of them, each with its place; None for any other file."""
    if Path(file).suffix.lower() != ".json":
        return None
    try:
        values = json.loads(Path(file).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None  # reported where the one value of the file is read
    first = values[0] if isinstance(values, list) and values else None
    if not isinstance(first, dict) or "role" in first or not (first.keys() & _REQUESTS or read_line(first)):
        return None
    return [(f"{file}: $[{index}]", json.dumps(value).encode()) for index, value in enumerate(values)]


def columns_of(pairs: list[str]) -> dict[str, str]:
    """Return the column of each input that ``--map`` names."""
    import typer

    found = dict(pair.partition("=")[::2] for pair in pairs)
    if any(not name or not column for name, column in found.items()):
        raise typer.BadParameter("--map takes input=column", param_hint="--map")
    return found


def inputs_of(template: Any, row: Mapping[str, Any], named: Mapping[str, str]) -> dict[str, Any]:
    """Return the inputs of a template from a row: the declared ones, texts of a CSV file by their types."""
    from .inputs import typed

    wanted = [*template.inputs] or [*template.variables]
    found = {name: row[named.get(name, name)] for name in wanted if named.get(name, name) in row}
    texts = [f"{name}={value}" for name, value in found.items() if isinstance(value, str)]
    return typed(found, template, texts)


def iter_rows(file: str) -> Iterator[tuple[str, Any]]:
    """Yield the place and the row of a file of inputs, or the error of a bad row."""
    ending = Path(file).suffix.lower()
    if ending == ".csv":
        with open(file, encoding="utf-8-sig", newline="") as lines:
            for number, row in enumerate(csv.DictReader(lines), 2):
                yield f"{file}:{number}", row
    elif ending == ".parquet":
        yield from _parquet(file)
    else:
        for place, line in iter_lines(file):
            if line.strip():
                yield place, _row(line)


def _row(line: bytes) -> Any:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return FormatError(f"not valid JSON: {error}")
    return value if isinstance(value, dict) else FormatError("a row of inputs is an object", path="$")


def _parquet(file: str) -> Iterator[tuple[str, Any]]:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtra.of("data", "pyarrow") from error
    number = 0
    for group in parquet.ParquetFile(file).iter_batches(batch_size=1024):
        for row in group.to_pylist():
            number += 1
            yield f"{file}, row {number}", row
