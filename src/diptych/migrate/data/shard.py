"""One shard: a file, or a range of one, in; a file out, all of it or none.

Rule: rows are read and written a block at a time, so memory does not grow with the file.
The results are written beside their place and moved there when they are whole; the
manifest, written last, says what was done to which bytes. A shard whose manifest fits is
not converted again.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from ...conversion.registry import get
from ...datasets.finetune import Separators
from ...errors import MigrationError
from ...prices.training import SOURCE, training_cost
from . import arrays, parquet
from .counts import ShardCounts, cost_of
from .files import (
    Digest,
    Writing,
    beside,
    blocks,
    changed,
    digest_of,
    is_parquet,
    said,
    to_a_line,
    write_whole,
)
from .layout import resolve
from .ref import ShardRef
from .rows import Rows
from .sifting import Sifting, validation_of
from .sources import Source, faults_of, source_of
from .spec import Spec
from .splice import Texts, lines_decoder, splice_block, splice_lines
from .storage import is_remote, place, size_of, state_of

_Path = str | os.PathLike[str]
#: What a row of two texts may be spliced into: the general way would write the same.
_SPLICED: Final = {("finetune_legacy", "finetune_chat"), ("finetune_legacy", "api:chat")}


def convert_shard(src: _Path | ShardRef, out: _Path, spec: Spec | Mapping[str, Any]) -> ShardCounts:
    """Convert one shard of JSON lines, a JSON array, CSV, TSV or Parquet; return the counts.

    The content of a source says what it holds (:mod:`diptych.migrate.data.sources`). ``out`` is JSON lines, or a JSON
    array where it ends in ``.json``, compressed where it ends in ``.gz``, ``.zst``, ``.bz2`` or ``.xz``, or a table
    where it ends in ``.parquet`` (extra ``data``). Beside ``out`` stand ``out.rejects.jsonl`` (each row that failed:
    its line, the error, the row as it was) and ``out.manifest.json``. Raises MigrationError where the source
    cannot be read or changes under way, where its layout is not certain, or ``out`` is the source.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.jsonl").write_text('{"prompt": "2+2? ->", "completion": " 4"}')
    >>> convert_shard(folder / "a.jsonl", folder / "b.jsonl", {"from": "finetune_legacy"}).converted
    1
    >>> (folder / "b.jsonl").read_text()
    '{"messages":[{"role":"user","content":"2+2?"},{"role":"assistant","content":"4"}]}\\n'
    """
    spec, target = Spec.of(spec), place(out)
    ref = src if isinstance(src, ShardRef) else ShardRef(os.fspath(src))
    source = place(ref.path)
    if source.resolve() == target.resolve():
        raise MigrationError("a shard is not written over its source", path=os.fspath(target))
    state = state_of(source)
    if ref.state is not None and state != tuple(ref.state):
        raise _refused(ref, source)
    ref = ref._replace(state=state)
    try:
        (spec,) = resolve(spec, [ref])
        done = finished(target, ref, spec) or _finished_before(target, ref, spec)
        if done is not None:
            return done
        if not is_remote(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        return _convert(ref, source, target, spec)
    except OSError as error:
        at = os.fspath(error.filename or target)
        raise MigrationError(f"the shard cannot be written: {said(error)}", path=at) from None


def _convert(ref: ShardRef, source: Path, target: Path, spec: Spec) -> ShardCounts:
    counts = ShardCounts()
    rejects = note(target, ref, "rejects.jsonl")
    write = writer_of(target.name)
    with ExitStack() as stack:
        good_at = _lines_of(target) if write else target
        good = stack.enter_context(Writing(good_at))
        bad = stack.enter_context(Writing(rejects))
        second = None if spec.split is None else stack.enter_context(Writing(validation_of(good_at)))
        shard = _Shard(ref, Rows(spec, counts), good.file, bad.file, second.file if second else None)
        digest = _unchanged(ref, source, lambda path: shard.convert(source_of(path)))
        counts.image_rows = shard.rows.rules.image_rows
        counts.layouts = {spec.source: counts.rows}
        counts.placed(source.name, before=0)
        if ref.is_whole:
            counts.problems += [str(loss) for loss in shard.rows.rules.losses()]
        for writing, at in ((good, target), *([(second, validation_of(target))] if second else [])):
            if write:
                writing.file.flush()
                write(writing.path, at)
            else:
                writing.keep()
        if counts.rejected:
            bad.keep()
    if not counts.rejected:
        rejects.unlink(missing_ok=True)
    write_manifest(target, ref, spec, counts, source=_source(ref, digest, shard.lines))
    return counts


def writer_of(name: str) -> Callable[[Path, Path], None] | None:
    """Return what makes a target of the lines of its rows, None where it is those lines.

    A table's columns depend on all of its rows, and an array has a beginning and an end.
    """
    return parquet.write if is_parquet(name) else arrays.write if arrays.is_array(name) else None


def _lines_of(target: Path) -> Path:
    """Return where the rows of a table or of an array stand as lines: on this machine."""
    name = f"{target.name}.rows.jsonl"
    return Path(tempfile.gettempdir()) / name if is_remote(target) else target.with_name(name)


def _unchanged(ref: ShardRef, source: Path, convert: Callable[[Path], str]) -> str:
    """Convert a source and return its SHA-256. Raises MigrationError where it was written to meanwhile."""
    try:
        digest = convert(source)
    except MigrationError:
        if state_of(source) != ref.state:  # what was found wrong with it is no fault of its own
            raise _refused(ref, source) from None
        raise
    if state_of(source) != ref.state:
        raise _refused(ref, source)
    return digest


def _refused(ref: ShardRef, source: Path) -> MigrationError:
    """Return the error of a source that changed; nothing that was made of it is gone on with."""
    if ref.notes is not None:
        (place(ref.notes) / PLAN).unlink(missing_ok=True)
    return changed(source)


class _Shard:
    """The rows of one shard on their way."""

    def __init__(
        self, ref: ShardRef, rows: Rows, good: BinaryIO, bad: BinaryIO, second: BinaryIO | None = None
    ) -> None:
        self._ref, self.rows, self._bad = ref, rows, bad
        #: How many lines have been read.
        self.lines = 0
        spec = rows.spec
        self._good = cast("BinaryIO", Sifting(rows, good, second, spec.split)) if second and spec.split else good
        fits = (spec.source, spec.target) in _SPLICED and not (
            spec.column_map or spec.request or spec.rules or spec.max_tokens or spec.dedupe
        )
        self._separators = spec.separators if fits else None

    def convert(self, source: Source) -> str:
        """Convert every row; return the SHA-256 of the bytes of the shard."""
        if not source.is_table:
            return self._lines(source)
        for number, row in parquet.rows(source.path, self._ref.start, self._ref.end, self._ref.first):
            self._write(*self.rows.row(number, row))
        return hash_of(self._ref, source.path)

    def _lines(self, source: Source) -> str:
        """Convert the lines; return the SHA-256 of the bytes read for them, as they lie in the file."""
        if self._ref.is_whole:
            digest = Digest()
            with source.opened(digest) as file:
                self.rows.faults = faults_of(file)
                for block in blocks(file):
                    self.lines += self._block(block, self._ref.first + self.lines)
                return digest.to_the_end()
        sha = hashlib.sha256()
        for block in lines_in(source, self._ref):
            sha.update(block)
            self.lines += self._block(block, self._ref.first + self.lines)
        return sha.hexdigest()

    def _block(self, block: bytes, number: int) -> int:
        """Convert a block of lines and return how many there were; ``number`` is that of the first."""
        if self._separators is not None:
            return self._splice(block, number, self._separators)
        lines = block.split(b"\n")
        plain, out = self.rows.plain, list[bytes]()
        count = size = 0
        for index, line in enumerate(lines):
            found = plain(line) if plain is not None else None
            if found is not None:
                if self.rows.is_new(found):
                    count, size = count + 1, size + len(found)
                    out.append(found)
            elif line.strip():
                out.append(self._slow(number + index, line))
        self._good.write(b"".join(out))
        self.rows.spliced(count, size)
        self.rows.tokens.add_talks(self.rows.talks)
        self.rows.talks.clear()
        return len(lines) - (not lines[-1])

    def _splice(self, block: bytes, number: int, separators: Separators) -> int:
        decoders, tokens = lines_decoder(), self.rows.tokens
        texts = Texts([], []) if tokens.are_asked else None
        counted = self.rows.rules.bytes
        whole = splice_block(block, separators, decoders, texts) if decoders else None
        if whole is None:
            out: list[bytes] = []
            texts = Texts([], []) if tokens.are_asked else None
            count = splice_lines(block, separators, self._slow, out, number, texts)
            found, lines = b"".join(out), block.count(b"\n") + (not block.endswith(b"\n"))
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


def lines_in(source: Source, ref: ShardRef) -> Iterator[bytes]:
    """Yield blocks of the lines that begin in a range."""
    with source.opened() as file:
        at = to_a_line(file, ref.start)
        if ref.end is None or at < ref.end:
            yield from blocks(file, None if ref.end is None else ref.end - at)


def hash_of(ref: ShardRef, source: Path) -> str:
    """Return the SHA-256 of the bytes of a shard."""
    if ref.is_whole:
        return digest_of(source)
    held = source_of(source)
    if held.is_table:
        return digest_of(source, *parquet.span(source, ref.start, ref.end))
    sha = hashlib.sha256()
    for block in lines_in(held, ref):
        sha.update(block)
    return sha.hexdigest()


# manifests ------------------------------------------------------------------------------------

#: What the folder of the notes of a data set in parts says of all of them.
PLAN: Final = "plan.json"


def note(target: Path, ref: ShardRef, ending: str) -> Path:
    """Return the manifest or the rejects of a shard."""
    return beside(target, ending) if ref.notes is None else place(ref.notes) / f"{target.name}.{ending}"


def finished(target: Path, ref: ShardRef, spec: Spec) -> ShardCounts | None:
    """Return the counts of a shard that was converted before, from the same file in the same way."""
    manifest = manifest_of(target, ref, spec)
    if manifest is None or manifest["source"] != {**manifest["source"], **place_of(ref)}:
        return None
    return _skipped(manifest)


def manifest_of(target: Path, ref: ShardRef, spec: Spec) -> dict[str, Any] | None:
    """Return the manifest of a target that is there, whole, and was written by this spec."""
    try:
        manifest: dict[str, Any] = json.loads(note(target, ref, "manifest.json").read_bytes())
        is_here = manifest["bytes"] == size_of(target) and isinstance(manifest["source"], dict)
        return manifest if is_here and manifest["spec"] == spec.to_json() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _skipped(manifest: Mapping[str, Any]) -> ShardCounts | None:
    try:
        return ShardCounts.from_json({**manifest["counts"], "skipped": True})
    except (KeyError, TypeError):
        return None


def _finished_before(target: Path, ref: ShardRef, spec: Spec) -> ShardCounts | None:
    """Return the counts of a shard of the same bytes in another file; its manifest names this one then."""
    manifest = manifest_of(target, ref, spec)
    if manifest is None:
        return None
    source = _source(ref, hash_of(ref, place(ref.path)), manifest["source"].get("lines"))
    if {**manifest["source"], "state": source["state"]} != source or (counts := _skipped(manifest)) is None:
        return None
    write_manifest(target, ref, spec, replace(counts, skipped=False), source=source)
    return counts


def write_manifest(
    target: Path,
    ref: ShardRef,
    spec: Spec,
    counts: ShardCounts,
    *,
    source: Mapping[str, Any],
    size: int | None = None,
    parts: list[dict[str, Any]] | None = None,
) -> None:
    """Say what was done to which bytes: the last file that a shard writes."""
    manifest = {
        "version": 1,
        "source": dict(source),
        "spec": spec.to_json(),
        "bytes": size_of(target) if size is None else size,
        **({} if parts is None else {"parts": parts}),
        **totals(counts, spec),
    }
    write_whole(note(target, ref, "manifest.json"), json_of(manifest))


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
        "training": _training(counts, spec),
    }


def _training(counts: ShardCounts, spec: Spec) -> dict[str, Any] | None:
    """Return the USD of training one epoch on the rows written, or why it is unknown; None where nothing is trained."""
    entry = get(spec.target, "dataset")
    if spec.model is None or counts.tokens_after is None or entry.kind != "dataset" or entry.asks:
        return None
    usd, reason = training_cost(spec.model, counts.tokens_after, 1)
    return {"usd_per_epoch": None if usd is None else f"{usd.normalize():f}", "reason": reason, "source": SOURCE}


def place_of(ref: ShardRef) -> dict[str, Any]:
    """Return what says where a shard lies: no folder, so that a data set may lie anywhere."""
    return {
        "name": place(ref.path).name,
        "start": ref.start,
        "end": ref.end,
        "first": ref.first,
        "state": None if ref.state is None else list(ref.state),
    }


def _source(ref: ShardRef, sha256: str, lines: int | None) -> dict[str, Any]:
    """Return what says which bytes were read."""
    return {**place_of(ref), "sha256": sha256, "lines": lines}
