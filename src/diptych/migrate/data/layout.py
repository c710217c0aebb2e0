"""The layout of a data set and the separators of its texts: found once, in its first rows.

Rule: a data set has one layout; what is named is taken, what is found has to be common to
nearly all rows of the sample. Where nothing is certain nothing is guessed, and a row that deviates, wherever it
stands, is told when it is converted.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from ...conversion.registry import get, list_formats, qualified
from ...datasets.finetune import separators_of
from ...datasets.layouts import detect_layout, why
from ...errors import DiptychError, FormatError, MigrationError
from . import parquet
from .files import blocks, to_a_line
from .ref import ShardRef
from .rows import LEGACY, as_row, loads
from .sources import faults_of, source_of
from .spec import Spec
from .storage import place

#: Rows of a file, and of a whole data set, that are looked at.
SAMPLE: Final = 500
SAMPLE_ROWS: Final = 20_000
#: Version 0.1 had a layout of this name, which is now that of an API.
_OLD: Final = {"chat": "finetune_chat"}


def sample_of(ref: ShardRef, most: int = SAMPLE) -> list[Mapping[str, Any]]:
    """Return the first rows of a shard that are objects; what is not JSON is left for later."""
    source = source_of(place(ref.path))
    if source.is_table:
        return [row for _, row in islice(parquet.rows(source.path, ref.start, ref.end, ref.first), most)]
    found: list[Mapping[str, Any]] = []
    with source.opened() as file:
        at = 0 if ref.is_whole else to_a_line(file, ref.start)
        length = None if ref.end is None else ref.end - at
        lines = (line for block in blocks(file, length) for line in block.split(b"\n"))
        for line in islice(lines, most):
            try:
                row = loads(line) if line.strip() else None
            except DiptychError:
                continue
            if isinstance(row := as_row(row), Mapping):
                found.append(row)
    return found


def _some(ref: ShardRef, most: int) -> list[Mapping[str, Any]]:
    """Return the first rows. Raises MigrationError, with what is wrong with the first line, where no line is a row."""
    found = sample_of(ref, most)
    source = source_of(place(ref.path))
    if found or source.is_table:
        return found
    with source.opened() as file:
        faults = faults_of(file)
        lines = [line for block in islice(blocks(file), 1) for line in block.split(b"\n") if line.strip()]
    if not lines:
        raise MigrationError("the file holds no rows: it is empty", path=ref.path)
    said = "it is no object"
    try:
        value = loads(lines[0].removeprefix(BOM_UTF8))
        said = f"a row is an object, not {type(value).__name__}"
    except FormatError as error:
        said = error.message
    said = next(iter(faults.values()), said)
    hint = "a row is a JSON object on a line"
    raise MigrationError(f"none of the first lines is a row: {said}", path=ref.path, hint=hint)


def resolve(spec: Spec, refs: Sequence[ShardRef]) -> list[Spec]:
    """Return the spec of each file with the layouts' own names, and the separators where a layout has some.

    The separators are those of the data set, not of a file. Raises MigrationError where the
    rows of a file have no layout in common, FormatError for a name that is none.
    """
    target = _named(spec.target)
    named = _named(spec.source) if spec.source != "auto" else None
    if named is not None and (named != LEGACY or spec.separators is not None):
        for ref in refs if spec.columns else ():
            _mapped(sample_of(ref), spec, ref.path)
        return [spec.resolved(named, target, spec.separators)] * len(refs)
    most = max(1, SAMPLE_ROWS // max(1, len(refs)))
    first = _some if named is None else sample_of  # rows of a named layout may all be rejects
    samples = ((first(ref, min(SAMPLE, most)), ref.path) for ref in refs)
    return _found(spec, samples, named, target)


def resolve_rows(spec: Spec, rows: Sequence[Mapping[str, Any]]) -> Spec:
    """Return the spec of rows that are in memory, as :func:`resolve` does for those of a file."""
    named = _named(spec.source) if spec.source != "auto" else None
    sample = [row for row in rows if isinstance(row, Mapping)]
    return _found(spec, [(sample, "the rows")], named, _named(spec.target))[0]


def reasons(spec: Spec, resolved: Sequence[Spec], refs: Sequence[ShardRef]) -> dict[str, str]:
    """Return why each layout that was found was taken, by the first file that has it; nothing of one that was named."""
    found: dict[str, str] = {}
    for own, ref in zip(resolved, refs, strict=True) if spec.source == "auto" else ():
        if own.source not in found and not own.source.startswith("api:"):
            rows = _mapped(sample_of(ref), spec, ref.path)
            found[own.source] = why(rows, own.source, list_formats())
    return found


def _found(
    spec: Spec, samples: Iterable[tuple[list[Mapping[str, Any]], str]], named: str | None, target: str
) -> list[Spec]:
    """Return the spec of each sample, with the separators that they have in common."""
    pairs: list[Mapping[str, Any]] = []
    sources: list[str] = []
    for sample, path in samples:
        rows = _mapped(sample, spec, path)
        sources.append(named or _layout_of(rows, path))
        if sources[-1] == LEGACY:
            pairs += (row for row in rows if _is_pair(row))
    found = spec.separators or separators_of(pairs)
    return [spec.resolved(source, target, found if source == LEGACY else spec.separators) for source in sources]


def _named(name: str) -> str:
    """Return the own name of a format; that of an API with its kind, so that it is not taken for a layout."""
    entry = get(_OLD.get(name, name), "dataset")
    return qualified(entry) if entry.kind == "api" else entry.name


def _mapped(rows: list[Mapping[str, Any]], spec: Spec, path: str) -> list[Mapping[str, Any]]:
    """Return rows under the names of their layout. Raises MigrationError for a column that none of them has."""
    absent = spec.column_map.absent(rows)
    if absent is not None:
        raise MigrationError(absent, path=path)
    found: list[Mapping[str, Any]] = []
    for row in rows:
        with suppress(FormatError):  # among the rejects later, with its number
            found.append(spec.column_map.apply(row))
    return found


def _is_pair(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("prompt"), str) and isinstance(row.get("completion"), str)


def _layout_of(rows: list[Mapping[str, Any]], path: str) -> str:
    formats = list_formats()
    try:
        return detect_layout(rows, formats)[0]
    except FormatError as error:
        with suppress(FormatError):  # bodies of an API: rows of Gemini's, Anthropic's and Bedrock's tuning files
            apis = [replace(entry, kind="dataset") for entry in formats if entry.kind == "api"]
            return qualified(get(detect_layout(rows, apis)[0], "api"))
        # A row that other names would make one of a layout says so itself.
        hint = "name it: --from" if error.hint in (None, "name its layout") else error.hint
        place = path if error.path in (None, "$") else f"{path}: {error.path}"
        raise MigrationError(f"the layout is not certain: {error.message}", path=place, hint=hint) from None
