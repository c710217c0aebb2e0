"""A data set as shards: which files, which ranges of the large ones, and how they become one again.

Rule: the shards depend on the data alone, never on the number of workers, so every engine
and every rerun meets the same ones. A file is cut where a line or a row group ends; its
parts lie beside the target until all are there, and are then put one behind another.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from ...conversion.registry import get
from ...datasets.openai_rules import FileRules
from ...errors import MigrationError
from . import parquet
from .counts import ShardCounts
from .files import BLOCK, Writing, beside, blocks, changed, digest_of, is_parquet, sweep, write_whole
from .folder import pairs_of
from .layout import resolve
from .ref import ShardRef
from .rows import BATCH
from .shard import finished, json_of, totals, write_manifest
from .sources import source_of
from .spec import Spec

#: Bytes of a part of a large file of lines.
PART: Final = 8 << 20
#: Rows of a part of a large table, at least.
_PART_ROWS: Final = 20_000


class Shard(NamedTuple):
    """One piece of work: ``convert_shard(*shard)``."""

    src: ShardRef
    out: str
    spec: Spec


@dataclass(frozen=True)
class File:
    """One file of the data set, and the shards it is converted in."""

    ref: ShardRef
    out: Path
    spec: Spec
    shards: tuple[Shard, ...]

    @property
    def is_cut(self) -> bool:
        """Whether the file is converted in parts."""
        return len(self.shards) > 1


@dataclass(frozen=True)
class Plan:
    """All the work of a data set: convert every shard, in any order and place, then ``finish``.

    ``shards`` are the arguments of :func:`convert_shard` for what is not done yet; ``left_out`` names the
    files of the folder that are no data, with the reason.
    """

    files: tuple[File, ...]
    done: tuple[ShardCounts, ...] = ()
    folder: Path | None = None
    asked: Spec = field(default_factory=Spec)
    left_out: tuple[str, ...] = ()

    @property
    def shards(self) -> list[Shard]:
        """Every shard that is to be converted."""
        return [shard for file in self.files for shard in file.shards]

    def finish(self) -> ShardCounts:
        """Put the parts of cut files together, and return the counts of the data set.

        Raises MigrationError where a shard has not been converted.
        """
        total = ShardCounts()
        for counts in (*self.done, *(_finish(file) for file in self.files)):
            total.add(counts)
        total.skipped = bool(self.done) and not self.files
        total.problems += self.left_out
        if self.folder is not None:
            manifest = {"version": 1, "spec": self.asked.to_json(), **totals(total, self.asked)}
            write_whole(self.folder / "manifest.json", json_of(manifest))
        return total


def plan_dataset(
    src: str | os.PathLike[str],
    out: str | os.PathLike[str],
    spec: Spec | Mapping[str, Any],
    *,
    part: int = PART,
    ignore: bool = True,
) -> Plan:
    """Return the shards of a file, or of every data file under a folder.

    A folder is written as a folder of the same shape. ``part`` is the size of the parts of
    a large file, in bytes; files that are packed are not cut. ``ignore=False`` also takes files that
    ``.gitignore`` or ``exclude`` leave out. Raises MigrationError for a source without data files.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.jsonl").write_text('{"prompt": "2+2? ->", "completion": " 4"}')
    >>> plan = plan_dataset(folder / "a.jsonl", folder / "b.jsonl", {"to": "sharegpt"})
    >>> [shard.spec.source for shard in plan.shards]
    ['finetune_legacy']
    """
    asked, source, target = Spec.of(spec), Path(src), Path(out)
    may_cut = get(asked.target, "dataset").name != BATCH  # its ids are told apart in one piece
    pairs, left = pairs_of(source, target, ignore=ignore)
    found = [_measured(path, place, part, may_cut) for path, place in pairs]
    files, done = list[File](), list[ShardCounts]()
    for measured, own in zip(found, resolve(asked, [entry.ref for entry in found]), strict=True):
        sweep(measured.out)
        counts = finished(measured.out, measured.ref, own)
        if counts is None:
            files.append(_file(measured, own))
        else:
            shutil.rmtree(_parts(measured.out), ignore_errors=True)  # a kill may have come between
            done.append(counts)
    return Plan(tuple(files), tuple(done), target if source.is_dir() else None, asked, tuple(left))


class _Measured(NamedTuple):
    """A whole file with its SHA-256, its target, and its parts."""

    ref: ShardRef
    out: Path
    cuts: list[_Cut]


class _Cut(NamedTuple):
    """Start, end and first row of a part, and the SHA-256 of its bytes where they are lines."""

    start: int
    end: int
    first: int
    sha256: str | None = None


def _measured(source: Path, target: Path, part: int, may_cut: bool) -> _Measured:
    if source.resolve() == target.resolve():
        raise MigrationError("a data set is not written over itself", path=os.fspath(target))
    path, held = os.fspath(source), source_of(source)
    if held.is_table:
        return _Measured(ShardRef(path, sha256=digest_of(source)), target, _row_groups(source) if may_cut else [])
    if not held.may_be_cut or source.stat().st_size <= part or not may_cut:
        return _Measured(ShardRef(path, sha256=digest_of(source)), target, [])
    digest, own, cuts = hashlib.sha256(), hashlib.sha256(), list[_Cut]()
    start, first, at, line = 0, 1, 0, 1
    with source.open("rb") as file:
        for block in blocks(file, size=min(BLOCK, part)):
            digest.update(block)
            own.update(block)
            at += len(block)
            line += block.count(b"\n")
            if at - start >= part:
                cuts.append(_Cut(start, at, first, own.hexdigest()))
                start, first, own = at, line, hashlib.sha256()
    if at > start:
        cuts.append(_Cut(start, at, first, own.hexdigest()))
    return _Measured(ShardRef(path, sha256=digest.hexdigest()), target, cuts)


def _row_groups(source: Path) -> list[_Cut]:
    """Return start, end and first row of runs of row groups that are worth a part of their own."""
    cuts: list[_Cut] = []
    start, held, first = 0, 0, 1
    sizes = parquet.groups(source)
    for index, size in enumerate(sizes):
        held += size
        if held >= _PART_ROWS or index == len(sizes) - 1:
            cuts.append(_Cut(start, index + 1, first))
            start, held, first = index + 1, 0, first + held
    return cuts


def _file(found: _Measured, spec: Spec) -> File:
    ref, target, cuts = found
    if len(cuts) < 2:
        return File(ref, target, spec, (Shard(ref, os.fspath(target), spec),))
    # A table is made of all its rows: its parts are lines.
    name = "part.jsonl" if is_parquet(target.name) else target.name
    shards = tuple(
        Shard(
            ref._replace(start=cut.start, end=cut.end, first=cut.first, own_sha256=cut.sha256),
            os.fspath(_parts(target) / f"{n:06}-{name}"),
            spec,
        )
        for n, cut in enumerate(cuts)
    )
    return File(ref, target, spec, shards)


def _parts(target: Path) -> Path:
    """Return the folder of a target's parts, until they are one."""
    return target.with_name(f".{target.name}.parts")


# one file again -----------------------------------------------------------------------------------


def _finish(file: File) -> ShardCounts:
    total = ShardCounts()
    for shard in file.shards:
        counts = finished(Path(shard.out), shard.src, shard.spec)
        if counts is None:
            raise MigrationError("a shard has not been converted", path=shard.out)
        total.add(counts)
    total.skipped = False
    if not file.is_cut:
        return total
    _check(file)
    outs = [Path(shard.out) for shard in file.shards]
    rejects = beside(file.out, "rejects.jsonl")
    if is_parquet(file.out.name):
        _join_table(outs, file.out)
    else:
        _join(outs, file.out)
    _join([path for path in (beside(out, "rejects.jsonl") for out in outs) if path.exists()], rejects)
    if not total.rejected:
        rejects.unlink(missing_ok=True)
    rules = FileRules(file.spec.target)
    rules.rows, rules.bytes, rules.image_rows = total.written, file.out.stat().st_size, total.image_rows
    total.problems += [str(loss) for loss in rules.losses()]
    write_manifest(file.out, file.ref, file.spec, total)
    shutil.rmtree(_parts(file.out))
    return total


def _check(file: File) -> None:
    """Raise where a table is not what its parts were planned from; parts of lines were checked as they were read."""
    source = Path(file.ref.path)
    if source_of(source).is_table and digest_of(source) != file.ref.sha256:
        shutil.rmtree(_parts(file.out), ignore_errors=True)  # of which table each part is, nobody knows
        raise changed(source)


def _join(parts: Iterable[Path], target: Path) -> None:
    with Writing(target, packed=False) as writing:
        _append(parts, writing.file)
        writing.keep()


def _append(parts: Iterable[Path], file: BinaryIO) -> None:
    for part in parts:
        with part.open("rb") as source:
            shutil.copyfileobj(source, file, BLOCK)


def _join_table(parts: Iterable[Path], target: Path) -> None:
    with Writing(beside(target, "rows.jsonl"), packed=False) as lines:
        _append(parts, lines.file)
        lines.file.flush()
        parquet.write(lines.path, target)
