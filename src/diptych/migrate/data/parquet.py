"""Parquet: rows out of row groups, lines of JSON into a table; pyarrow is imported here alone.

Rule: nothing is guessed into another type. A column is text, a number or a truth value
where it is so in every row; messages are a list of structs where every content is text and
every field is a string; any other column is JSON text, and is read back as what it says.
Arrow cannot tell an absent key from a null: a null is absent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ...errors import MigrationError, MissingExtra
from .files import Writing
from .storage import is_remote

#: Rows of a row group that is written, and rows that are taken from Arrow at once.
GROUP: Final = 10_000
_BATCH: Final = 1_000
#: Marks a column of JSON text in the schema's metadata.
_JSON: Final = b"json"
#: Columns of other tools that hold JSON text where they hold text that parses.
_NESTED: Final = frozenset({"messages", "conversations", "tools", "chosen", "rejected", "body", "input", "history"})
_LARGEST_INT: Final = 2**63


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra.of("data", "pyarrow") from None
    return pyarrow


def _opened(path: Path) -> Any:
    arrow = _pyarrow()
    try:
        return arrow.parquet.ParquetFile(path.open("rb") if is_remote(path) else path)
    except (arrow.ArrowInvalid, OSError) as error:
        raise MigrationError(f"the file is no Parquet: {error}", path=str(path)) from None


# reading ------------------------------------------------------------------------------------------


def groups(path: Path) -> list[int]:
    """Return the number of rows of each row group."""
    with _opened(path) as file:
        meta = file.metadata
        return [meta.row_group(index).num_rows for index in range(meta.num_row_groups)]


def rows(path: Path, start: int = 0, end: int | None = None, first: int = 1) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield number and row of the row groups ``start`` to ``end``; ``first`` is the first row's number."""
    arrow = _pyarrow()
    with _opened(path) as file:
        last = file.metadata.num_row_groups if end is None else end
        nested = _json_columns(file.schema_arrow)
        number = first
        try:
            for batch in file.iter_batches(_BATCH, row_groups=range(start, last)):
                for row in batch.to_pylist():
                    yield number, {name: _read(name, item, nested) for name, item in row.items() if item is not None}
                    number += 1
        except (arrow.ArrowException, OSError) as error:
            raise MigrationError(f"the file cannot be converted: {error}", path=str(path)) from None


def _json_columns(schema: Any) -> frozenset[str]:
    return frozenset(f.name for f in schema if (f.metadata or {}).get(b"diptych") == _JSON)


def _read(name: str, value: Any, nested: frozenset[str]) -> Any:
    if isinstance(value, str) and (name in nested or (name in _NESTED and value.lstrip()[:1] in ("[", "{"))):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return _without_nulls(value)


def _without_nulls(value: Any) -> Any:
    """Return a value without the keys that Arrow had to fill; an assistant's content may be null."""
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def schema_of(path: Path) -> str:
    """Return the names and types of the columns, as one text."""
    with _opened(path) as file:
        return str(file.schema_arrow)


def span(path: Path, start: int, end: int | None) -> tuple[int, int]:
    """Return the bytes that the row groups ``start`` to ``end`` lie between."""
    with _opened(path) as file:
        meta = file.metadata
        chunks = [
            meta.row_group(group).column(column)
            for group in range(start, meta.num_row_groups if end is None else end)
            for column in range(meta.num_columns)
        ]
        starts = [chunk.dictionary_page_offset or chunk.data_page_offset for chunk in chunks]
        ends = [at + chunk.total_compressed_size for at, chunk in zip(starts, chunks, strict=True)]
    return min(starts, default=0), max(ends, default=0)


# writing ------------------------------------------------------------------------------------------


def write(lines: Path, target: Path) -> None:
    """Write a file of JSON lines, each an object, as a table: two passes, a row group in memory."""
    arrow = _pyarrow()
    kinds = _kinds(lines)
    schema = arrow.schema([_field(arrow, name, kind) for name, kind in kinds.items()])
    with Writing(target, packed=False) as writing:
        with arrow.parquet.ParquetWriter(writing.file, schema, compression="zstd") as table:
            group: list[dict[str, Any]] = []
            for row in _objects(lines):
                group.append({name: _cell(row.get(name), kind) for name, kind in kinds.items()})
                if len(group) == GROUP:
                    table.write_table(arrow.Table.from_pylist(group, schema))
                    group = []
            if group:
                table.write_table(arrow.Table.from_pylist(group, schema))
        writing.keep()


def _objects(lines: Path) -> Iterator[dict[str, Any]]:
    with lines.open("rb") as file:
        for line in file:
            yield json.loads(line)


def _kinds(lines: Path) -> dict[str, str]:
    """Return what each column is: what it is in all rows, else JSON text."""
    kinds: dict[str, str] = {}
    for row in _objects(lines):
        for name, value in row.items():
            kind = _kind(value)
            known = kinds.setdefault(name, kind)
            if known == "null":
                kinds[name] = kind
            elif kind not in ("null", known):
                kinds[name] = "json"
    return {name: "json" if kind == "null" else kind for name, kind in kinds.items()}


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "text" if _sendable(value) else "json"
    if isinstance(value, int):
        return "int" if -_LARGEST_INT <= value < _LARGEST_INT else "json"
    if isinstance(value, float):
        return "float"
    return "messages" if _are_plain_messages(value) else "json"


def _are_plain_messages(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, Mapping) and item.keys() == {"role", "content"} for item in value)
        and all(isinstance(text, str) and _sendable(text) for item in value for text in item.values())
    )


def _sendable(text: str) -> bool:
    """Tell whether a text is UTF-8; JSON's escapes hold what is not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _field(arrow: Any, name: str, kind: str) -> Any:
    simple = {"bool": arrow.bool_(), "text": arrow.string(), "int": arrow.int64(), "float": arrow.float64()}
    if kind == "messages":
        return arrow.field(name, arrow.list_(arrow.struct([("role", arrow.string()), ("content", arrow.string())])))
    if kind == "json":
        return arrow.field(name, arrow.string(), metadata={b"diptych": _JSON})
    return arrow.field(name, simple[kind])


def _cell(value: Any, kind: str) -> Any:
    # ASCII: an escape holds a lone surrogate, which no string of Arrow can.
    return json.dumps(value) if kind == "json" and value is not None else value
