"""One shard: a file, or a range of one, in; a file out, all of it or none.

Rule: rows are read and written a block at a time, so memory does not grow with the file.
The results are written beside their place and moved there when they are whole; the
manifest, written last, says what was done to which bytes. A shard whose manifest fits is
not converted again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Final

from ...datasets.finetune import Separators
from ...errors import MigrationError
from . import parquet
from .counts import ShardCounts, cost_of
from .files import Digest, State, Writing, beside, blocks, changed, digest_of, is_parquet, state_of, write_whole
from .layout import resolve
from .ref import ShardRef
from .rows import Rows
from .sources import Source, faults_of, source_of
from .spec import Spec
from .splice import Texts, lines_decoder, splice_block, splice_lines

_Path = str | os.PathLike[str]
#: What a row of two texts may be spliced into: the general way would write the same.
_SPLICED: Final = {("finetune_legacy", "finetune_chat"), ("finetune_legacy", "api:chat")}


def convert_shard(src: _Path | ShardRef, out: _Path, spec: Spec | Mapping[str, Any]) -> ShardCounts:
    """Convert one shard of JSON lines, a JSON array, CSV, TSV or Parquet; return the counts.

    The content of a source says what it holds (:mod:`diptych.migrate.data.sources`). ``out`` is JSON lines,
    compressed where it ends in ``.gz``, ``.zst``, ``.bz2`` or ``.xz``, or a table where it ends in ``.parquet``
    (extra ``data``). Beside ``out`` stand ``out.rejects.jsonl`` (each row that failed: its line, the error,
    the row as it was) and ``out.manifest.json``. Raises MigrationError where the source
    cannot be read or changes under way, where its layout is not certain, or ``out`` is the source.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.jsonl").write_text('{"prompt": "2+2? ->", "completion": " 4"}')
    >>> convert_shard(folder / "a.jsonl", folder / "b.jsonl", {"from": "finetune_legacy"}).converted
    1
    >>> (folder / "b.jsonl").read_text()
    '{"messages":[{"role":"user","content":"2+2?"},{"role":"assistant","content":"4"}]}\\n'
    """
    spec, target = Spec.of(spec), Path(out)
    ref = src if isinstance(src, ShardRef) else ShardRef(os.fspath(src))
    place = Path(ref.path)
    if place.resolve() == target.resolve():
        raise MigrationError("a shard is not written over its source", path=os.fspath(target))
    state, source = state_of(place), source_of(place)
    try:
        (spec,) = resolve(spec, [ref])
        # Where reading a shard does not hash all of its file this comes before and after.
        is_hashed_apart = source.is_table or not ref.is_whole
        is_part = source.is_table and not ref.is_whole and ref.sha256 is not None
        if ref.sha256 is None and (is_hashed_apart or beside(target, "manifest.json").exists()):
            ref = ref._replace(sha256=digest_of(place))
        done = finished(target, ref, spec)
        if done is not None:
            return done
        target.parent.mkdir(parents=True, exist_ok=True)
        return _convert(ref, source, target, spec, state, is_part=is_part)
    except OSError as error:
        where = os.fspath(error.filename or target)
        raise MigrationError(f"the shard cannot be written: {error.strerror or error}", path=where) from None


def _convert(
    ref: ShardRef, source: Source, target: Path, spec: Spec, state: State | None, *, is_part: bool
) -> ShardCounts:
    counts = ShardCounts()
    rejects = beside(target, "rejects.jsonl")
    to_table = is_parquet(target.name)
    with ExitStack() as stack:
        # A table's columns depend on all of its rows: they are written as lines first.
        good = stack.enter_context(Writing(beside(target, "rows.jsonl") if to_table else target))
        bad = stack.enter_context(Writing(rejects))
        shard = _Shard(ref, Rows(spec, counts), good.file, bad.file, is_part=is_part)
        digest = _unchanged(source, state, shard.convert)
        counts.image_rows = shard.rows.rules.image_rows
        if ref.is_whole:
            counts.problems += [str(loss) for loss in shard.rows.rules.losses()]
        if to_table:
            good.file.flush()
            parquet.write(good.path, target)
        else:
            good.keep()
        if counts.rejected:
            bad.keep()
    if not counts.rejected:
        rejects.unlink(missing_ok=True)
    write_manifest(target, ref._replace(sha256=digest), spec, counts)
    return counts


def _unchanged(source: Source, state: State | None, convert: Callable[[Source], str]) -> str:
    """Convert a source and return its SHA-256. Raises MigrationError where it was written to meanwhile."""
    try:
        digest = convert(source)
    except MigrationError:
        if state_of(source.path) != state:  # what was found wrong with it is no fault of its own
            raise changed(source.path) from None
        raise
    if state_of(source.path) != state:
        raise changed(source.path)
    return digest


class _Shard:
    """The rows of one shard on their way."""

    def __init__(self, ref: ShardRef, rows: Rows, good: BinaryIO, bad: BinaryIO, *, is_part: bool) -> None:
        self._is_part = is_part
        self._ref, self.rows, self._good, self._bad = ref, rows, good, bad
        spec = rows.spec
        fits = (spec.source, spec.target) in _SPLICED and not (spec.column_map or spec.request)
        self._separators = spec.separators if fits else None

    def convert(self, source: Source) -> str:
        """Convert every row; return the SHA-256 of the source. Raises MigrationError where it is not what it was."""
        whole, own, place = self._ref.sha256, self._ref.own_sha256, source.path
        if source.is_table:
            for number, row in parquet.rows(place, self._ref.start, self._ref.end, self._ref.first):
                self._write(*self.rows.row(number, row))
        else:
            read = self._lines(source)
            if self._ref.is_whole:
                return _same(place, whole, read)
            if own is not None and whole is not None:
                _same(place, own, read)
                return whole
        # The parts of one table are checked when they are put together: hashing it for each would take its square.
        return whole if self._is_part and whole is not None else _same(place, whole, digest_of(place))

    def _lines(self, source: Source) -> str:
        """Convert the lines; return the SHA-256 of the bytes read for them, as they lie in the file."""
        number, digest = self._ref.first, Digest()
        with source.opened(digest) as file:
            if self._ref.start:
                file.seek(self._ref.start)
            length = None if self._ref.end is None else self._ref.end - self._ref.start
            self.rows.faults = faults_of(file)
            for block in blocks(file, length):
                number += self._block(block, number)
            return digest.to_the_end() if self._ref.is_whole else digest.of_what_was_read()

    def _block(self, block: bytes, number: int) -> int:
        """Convert a block of lines and return how many there were; ``number`` is that of the first."""
        if self._separators is not None:
            return self._splice(block, number, self._separators)
        lines = block.split(b"\n")
        for index, line in enumerate(lines):
            if line.strip():
                self._good.write(self._slow(number + index, line))
        return len(lines) - 1

    def _splice(self, block: bytes, number: int, separators: Separators) -> int:
        decoders, tokens = lines_decoder(), self.rows.tokens
        texts = Texts([], []) if tokens.are_asked else None
        counted = self.rows.rules.bytes
        whole = splice_block(block, separators, decoders, texts) if decoders else None
        if whole is None:
            out: list[bytes] = []
            texts = Texts([], []) if tokens.are_asked else None
            count = splice_lines(block, separators, self._slow, out, number, texts)
            found, lines = b"".join(out), block.count(b"\n")
        else:
            found, count = whole
            lines = count
        self._good.write(found)
        # What went the general way has been counted there.
        self.rows.spliced(count, len(found) - (self.rows.rules.bytes - counted))
        if texts is not None:
            tokens.add_texts(texts.prompts, texts.completions, separators)
        return lines

    def _slow(self, number: int, line: bytes) -> bytes:
        good, bad = self.rows.line(number, line)
        if bad:
            self._bad.write(bad)
        return good

    def _write(self, good: bytes, bad: bytes) -> None:
        self._good.write(good)
        self._bad.write(bad)


def _same(source: Path, before: str | None, after: str) -> str:
    if before not in (None, after):
        raise changed(source)
    return after


# manifests ------------------------------------------------------------------------------------


def finished(target: Path, ref: ShardRef, spec: Spec) -> ShardCounts | None:
    """Return the counts of a shard that was converted before, from the same bytes in the same way."""
    try:
        manifest = json.loads(beside(target, "manifest.json").read_bytes())
        same = manifest["source"] == _source(ref) and manifest["spec"] == spec.to_json()
        if not same or manifest["bytes"] != target.stat().st_size:
            return None
        return ShardCounts.from_json({**manifest["counts"], "skipped": True})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_manifest(target: Path, ref: ShardRef, spec: Spec, counts: ShardCounts) -> None:
    """Say what was done to which bytes: the last file that a shard writes."""
    manifest = {
        "version": 1,
        "source": _source(ref),
        "spec": spec.to_json(),
        "bytes": target.stat().st_size,
        **totals(counts, spec),
    }
    write_whole(beside(target, "manifest.json"), json_of(manifest))


def json_of(manifest: Mapping[str, Any]) -> bytes:
    """Return a manifest as it is written."""
    return json.dumps(manifest, indent=2).encode() + b"\n"


def totals(counts: ShardCounts, spec: Spec) -> dict[str, Any]:
    """Return counts, losses, tokens and cost (USD, at the price of input) as a manifest and ``--json`` have them."""
    tokens = {"before": counts.tokens_before, "after": counts.tokens_after}
    models = {"before": spec.source_model, "after": spec.model}
    usd = {name: cost_of(models[name], number) for name, number in tokens.items()}
    return {
        "counts": {**counts.to_json(), "skipped": False},
        "losses": counts.losses,
        "tokens": tokens,
        "cost": {name: None if cost is None else f"{cost.normalize():f}" for name, cost in usd.items()},
    }


def _source(ref: ShardRef) -> dict[str, Any]:
    """Return what says which bytes were read: no path, so that a data set may lie anywhere."""
    return {"name": Path(ref.path).name, "sha256": ref.sha256, "start": ref.start, "end": ref.end, "first": ref.first}
