"""A data set as shards: which files, which ranges of the large ones, and how they become one again.

Rule: the shards depend on the data alone, never on the number of workers, so every engine
and every rerun meets the same ones. Planning reads a sample of the rows, and nothing else of the source.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...conversion.registry import get
from .counts import ShardCounts
from .files import sweep, write_whole
from .folder import pairs_of
from .layout import reasons, resolve
from .parts import File, Shard, begun, file_of, finish, finished_folder, measured, notes_of
from .rows import BATCH
from .shard import finished, json_of, totals
from .spec import Spec
from .storage import place, remove_all


@dataclass(frozen=True)
class Plan:
    """All the work of a data set: convert every shard, in any order and place, then ``finish``.

    ``shards`` are the arguments of :func:`convert_shard` for what is not done yet; ``left_out`` names the
    files of the folder that are no data, with the reason; ``reasons`` says why a layout was taken that was not named.
    """

    files: tuple[File, ...]
    done: tuple[ShardCounts, ...] = ()
    folder: Path | None = None
    asked: Spec = field(default_factory=Spec)
    left_out: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def shards(self) -> list[Shard]:
        """Every shard that is to be converted."""
        return [shard for file in self.files for shard in file.shards]

    def _of_file(self, counts: ShardCounts, out: Path) -> ShardCounts:
        return counts if self.folder is None else named(counts, out)

    def finish(self) -> ShardCounts:
        """Put the parts of cut files together, and return the counts of the data set.

        Raises MigrationError where a shard has not been converted.
        """
        total = ShardCounts()
        for counts in (*self.done, *(self._of_file(finish(file), file.out) for file in self.files)):
            total.add(counts)
        total.skipped = bool(self.done) and not self.files
        total.problems += self.left_out
        total.layout_reasons = dict(self.reasons)
        if self.folder is not None:
            manifest = {"version": 1, "spec": self.asked.to_json(), **totals(total, self.asked)}
            write_whole(self.folder / "manifest.json", json_of(manifest))
        return total


def named(counts: ShardCounts, out: Path) -> ShardCounts:
    """Return the counts of one file of several: what is wrong with it is said with its name."""
    counts.problems = [f"{out.name}: {problem}" for problem in counts.problems]
    return counts


def plan_dataset(
    src: str | os.PathLike[str],
    out: str | os.PathLike[str],
    spec: Spec | Mapping[str, Any],
    *,
    part: int | None = None,
    ignore: bool = True,
    join: bool = True,
    restart: bool = False,
) -> Plan:
    """Return the shards of a file, or of every data file under a folder.

    Nothing of the source is read but a sample of its rows. A folder is written as a folder of the same shape.
    ``part`` is the size of the parts of a large file, in bytes (8 MB, and more of files above 32 GB); files that are
    packed are not cut. With ``join=False`` a file that may be cut becomes a folder of parts. ``ignore=False`` also
    takes files that ``.gitignore`` or ``exclude`` leave out. ``restart`` gives up what an interrupted run has done.
    Raises MigrationError for a source without data files, and where a source changed since an interrupted run.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.jsonl").write_text('{"prompt": "2+2? ->", "completion": " 4"}')
    >>> plan = plan_dataset(folder / "a.jsonl", folder / "b.jsonl", {"to": "sharegpt"})
    >>> [shard.spec.source for shard in plan.shards]
    ['finetune_legacy']
    """
    asked, source, target = Spec.of(spec), place(src), place(out)
    # The ids of a batch are told apart in one piece, and so are rows that are the same.
    may_cut = get(asked.target, "dataset").name != BATCH and not asked.is_of_one_piece
    pairs, left = pairs_of(source, target, ignore=ignore, join=join)
    found = [measured(path, to, part, may_cut=may_cut) for path, to in pairs]
    files, done = list[File](), list[ShardCounts]()
    refs = [entry.ref for entry in found]
    specs = resolve(asked, refs)
    for entry, own in zip(found, specs, strict=True):
        sweep(entry.out)
        file = file_of(entry, own, join=join)
        counts = finished(file.out, file.ref, own) if join else finished_folder(file)
        if counts is None:
            files.append(begun(file, restart=restart))
        else:
            remove_all(notes_of(file.out))  # a kill may have come between
            done.append(named(counts, file.out) if source.is_dir() else counts)
    return Plan(tuple(files), tuple(done), target if source.is_dir() else None, asked, tuple(left),
                reasons(asked, specs, refs))  # fmt: skip
