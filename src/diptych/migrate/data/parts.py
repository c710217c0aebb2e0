"""The parts of a file: how it is cut, where its parts and their notes lie, and how they become one again.

Rule: cutting reads nothing. A part is a range of bytes, and has the lines that begin in it; of a table
it is a run of row groups. What is done is known by the manifests in the folder of notes
(``.TARGET.parts``), so that a run goes on where an earlier one ended; the notes go when all is done.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from ...datasets.openai_rules import FileRules
from ...errors import MigrationError
from . import parquet
from .counts import ShardCounts
from .files import BLOCK, Writing, beside, is_parquet, write_whole
from .packing import ending_of
from .ref import ShardRef
from .rows import line_of
from .shard import PLAN, finished, json_of, manifest_of, note, place_of, write_manifest, writer_of
from .sources import LINES, TABLES, source_of, unpacked_name
from .spec import Spec
from .storage import names_in, place, remove_all, size_of, state_of

#: Bytes of a part of a large file of lines, at least, and the parts of a file at most.
PART: Final = 8 << 20
_MOST_PARTS: Final = 4096
#: Rows of a part of a large table, at least.
_PART_ROWS: Final = 20_000
#: Manifests that are read at once: elsewhere each is a request.
_AT_ONCE: Final = 16
_PREFIX: Final = "part-"


class Shard(NamedTuple):
    """One piece of work: ``convert_shard(*shard)``."""

    src: ShardRef
    out: str
    spec: Spec


class File(NamedTuple):
    """One file of the data set, and the shards it is converted in; ``join`` says whether they become one file again."""

    ref: ShardRef
    out: Path
    spec: Spec
    shards: tuple[Shard, ...]
    join: bool = True

    @property
    def is_cut(self) -> bool:
        """Whether the file is converted in parts."""
        return len(self.shards) > 1 or not self.join


class Measured(NamedTuple):
    """A whole file, its target, and start, end and first row of its parts."""

    ref: ShardRef
    out: Path
    cuts: list[tuple[int, int | None, int]]


def measured(source: Path, target: Path, part: int | None, *, may_cut: bool) -> Measured:
    """Return how a file is cut. Raises MigrationError where it cannot be read, or is its own target."""
    if source.resolve() == target.resolve():
        raise MigrationError("a data set is not written over itself", path=os.fspath(target))
    ref = ShardRef(os.fspath(source), state=state_of(source))
    held = source_of(source)
    if held.is_table and may_cut:
        return Measured(ref, target, _row_groups(source))
    if not held.may_be_cut or not may_cut:
        return Measured(ref, target, [])
    size = size_of(source)
    step = part or max(PART, -(-size // _MOST_PARTS))
    return Measured(ref, target, [(at, min(at + step, size), 1) for at in range(0, size, step)])


def _row_groups(source: Path) -> list[tuple[int, int | None, int]]:
    """Return runs of row groups that are worth a part of their own."""
    cuts: list[tuple[int, int | None, int]] = []
    start, held, first = 0, 0, 1
    sizes = parquet.groups(source)
    for index, size in enumerate(sizes):
        held += size
        if held >= _PART_ROWS or index == len(sizes) - 1:
            cuts.append((start, index + 1, first))
            start, held, first = index + 1, 0, first + held
    return cuts


def file_of(found: Measured, spec: Spec, *, join: bool) -> File:
    """Return a file with its shards."""
    ref, target, cuts = found
    if join and len(cuts) < 2:
        return File(ref, target, spec, (Shard(ref, os.fspath(target), spec),))
    notes = notes_of(target)
    folder, name = (notes, _joined_name(target)) if join else (target, _ending_of(target))
    refs = [
        ref._replace(start=start, end=end, first=first, notes=os.fspath(notes))
        for start, end, first in (cuts if len(cuts) > 1 else [(0, None, 1)])
    ]
    outs = [folder / (f"{n:06}-{name}" if join else f"{_PREFIX}{n:06}{name}") for n in range(len(refs))]
    shards = tuple(Shard(ref, os.fspath(out), spec) for ref, out in zip(refs, outs, strict=True))
    return File(ref, target, spec, shards, join)


def _joined_name(target: Path) -> str:
    # A table or an array is made of all its rows: its parts are lines.
    return "part.jsonl" if writer_of(target.name) else target.name


def _ending_of(target: Path) -> str:
    """Return how the parts in a folder end: as the folder does, else they are JSON lines."""
    kinds = [kind for kind in (*LINES, *TABLES) if unpacked_name(target.name).endswith(kind)]
    return f"{kinds[0]}{ending_of(target.name)}" if kinds else ".jsonl"


def notes_of(target: Path) -> Path:
    """Return the folder of the manifests of a target's parts, and of the parts where they become one file."""
    return target.with_name(f".{target.name}.parts")


# a run that goes on --------------------------------------------------------------------------


def begun(file: File, *, restart: bool) -> File:
    """Make the folders of a file in parts ready, keeping what an earlier run of the same work has done.

    Raises MigrationError where the source changed since then, and where the target is a folder of something else.
    """
    if not file.is_cut:
        return file
    notes, plan = notes_of(file.out), _plan_of(file)
    if not file.join:
        _check_folder(file)
    known = _read(notes / PLAN)
    same_name = known is not None and known.get("name") == plan["name"]
    if same_name and known is not None and known.get("state") != plan["state"] and not restart:
        hint = "give up what has been done so far: restart=True, or --restart on the command line"
        raise MigrationError("the source changed since its conversion began", path=file.ref.path, hint=hint)
    if known != plan or restart:
        remove_all(notes)
        notes.mkdir(parents=True, exist_ok=True)
        if not file.join:
            beside(file.out, "manifest.json").unlink(missing_ok=True)  # the folder is not whole any more
        write_whole(notes / PLAN, json_of(plan))
    return file


def _plan_of(file: File) -> dict[str, Any]:
    parts = [[shard.src.start, shard.src.end] for shard in file.shards]
    name = place(file.ref.path).name
    found = {"name": name, "state": file.ref.state, "spec": file.spec.to_json(), "join": file.join, "parts": parts}
    plan: dict[str, Any] = json.loads(json.dumps(found))
    return plan


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _check_folder(file: File) -> None:
    if file.out.is_file():
        raise MigrationError("a folder of parts is not written over a file", path=os.fspath(file.out))
    others = sorted(name for name in names_in(file.out) if not name.lstrip(".").startswith(_PREFIX))
    if others:
        hint = f"name a new folder; this one holds {others[0]!r}"
        raise MigrationError("the folder holds something else than parts", path=os.fspath(file.out), hint=hint)


def finished_folder(file: File) -> ShardCounts | None:
    """Return the counts of a folder of parts that was written before, from the same file in the same way."""
    manifest = _read(beside(file.out, "manifest.json"))
    try:
        if manifest is None or manifest["spec"] != file.spec.to_json():
            return None
        if manifest["source"] != {**manifest["source"], **place_of(file.ref)}:
            return None
        is_whole = {part["name"] for part in manifest["parts"]} <= names_in(file.out)
        return ShardCounts.from_json({**manifest["counts"], "skipped": True}) if is_whole else None
    except (KeyError, TypeError):
        return None


# one file again -------------------------------------------------------------------------------


def finish(file: File) -> ShardCounts:
    """Put the parts of a file together, and return its counts. Raises MigrationError where one is not converted."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        manifests = list(pool.map(_finished, file.shards))
    total, is_table = ShardCounts(), source_of(place(file.ref.path)).is_table
    for manifest, before in zip(manifests, _lines_before(manifests, is_table), strict=True):
        counts = ShardCounts.from_json(manifest["counts"])
        counts.placed(place(file.ref.path).name, before=before)
        total.add(counts)
    total.skipped = False
    if not file.is_cut:
        return total
    _join_rejects(file, manifests, total, is_table)
    if file.join:
        _join_parts(file)
        size, parts = size_of(file.out), None
    else:
        size, parts = sum(manifest["bytes"] for manifest in manifests), _listed(file, manifests, total)
    rules = FileRules(file.spec.target)
    rules.rows, rules.bytes, rules.image_rows = total.written, size, total.image_rows
    total.problems += [str(loss) for loss in rules.losses()]
    source = {**place_of(file.ref), **_hashes(manifests)}
    write_manifest(file.out, file.ref, file.spec, total, source=source, size=size, parts=parts)
    remove_all(notes_of(file.out))
    return total


def _finished(shard: Shard) -> dict[str, Any]:
    target = place(shard.out)
    if finished(target, shard.src, shard.spec) is None:
        raise MigrationError("a shard has not been converted", path=shard.out)
    manifest = manifest_of(target, shard.src, shard.spec)
    assert manifest is not None
    return manifest


def _hashes(manifests: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what a file is known by that was read in parts: the hash of their hashes, in order."""
    sha = hashlib.sha256()
    for manifest in manifests:
        sha.update(manifest["source"]["sha256"].encode())
    return {"sha256": None, "sha256_of_parts": sha.hexdigest(), "lines": _sum_of_lines(manifests)}


def _sum_of_lines(manifests: list[dict[str, Any]]) -> int | None:
    lines = [manifest["source"]["lines"] for manifest in manifests]
    return None if None in lines else sum(lines)


def _listed(file: File, manifests: list[dict[str, Any]], total: ShardCounts) -> list[dict[str, Any]]:
    """Return name, rows and bytes of each part in a folder; what an earlier data set left there goes."""
    names = [place(shard.out).name for shard in file.shards]
    for name in sorted(names_in(file.out) - {*names}):
        (file.out / name).unlink(missing_ok=True)
    if is_parquet(names[0]):
        schemas = {parquet.schema_of(file.out / name) for name in names}
        if len(schemas) > 1:
            total.problems.append("$: the parts differ in the types of their columns: some need a column of JSON text")
    return [
        {"name": name, "rows": manifest["counts"]["written"], "bytes": manifest["bytes"]}
        for name, manifest in zip(names, manifests, strict=True)
    ]


def _join_parts(file: File) -> None:
    outs = [place(shard.out) for shard in file.shards]
    if write := writer_of(file.out.name):
        with Writing(beside(file.out, "rows.jsonl"), packed=False) as lines:
            _append(outs, lines.file)
            lines.file.flush()
            write(lines.path, file.out)
        return
    with Writing(file.out, packed=False) as writing:
        _append(outs, writing.file)
        writing.keep()


def _append(parts: Iterable[Path], file: BinaryIO) -> None:
    for part in parts:
        with part.open("rb") as source:
            while data := source.read(BLOCK):
                file.write(data)


def _lines_before(manifests: list[dict[str, Any]], is_table: bool) -> list[int]:
    """Return how many lines of the file stand before each part; a table says itself where its row groups begin."""
    lines = [0 if is_table else manifest["source"]["lines"] or 0 for manifest in manifests]
    return [sum(lines[:n]) for n in range(len(lines))]


def _join_rejects(file: File, manifests: list[dict[str, Any]], total: ShardCounts, is_table: bool) -> None:
    """Write the rejects of all parts as those of the file, with the numbers of its lines."""
    rejects = beside(file.out, "rejects.jsonl")
    if not total.rejected:
        rejects.unlink(missing_ok=True)
        return
    with Writing(rejects, packed=False) as writing:
        for line in _rejects(file, manifests, is_table):
            writing.file.write(line)
        writing.keep()


def _rejects(file: File, manifests: list[dict[str, Any]], is_table: bool) -> Iterator[bytes]:
    befores = _lines_before(manifests, is_table)
    for shard, manifest, before in zip(file.shards, manifests, befores, strict=True):
        if manifest["counts"]["rejected"]:
            for raw in note(place(shard.out), shard.src, "rejects.jsonl").read_bytes().splitlines():
                reject = json.loads(raw)
                yield line_of({**reject, "line": reject["line"] + before})
