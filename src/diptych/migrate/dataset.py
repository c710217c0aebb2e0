"""A data set: its shards side by side, in processes of this machine or of a Ray cluster.

Rule: shards share nothing, so a worker that dies costs its shard and nothing else; what is
done stays done, and the same call goes on where it ended.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Literal

from ..errors import MigrationError, MissingExtra
from .shard import ShardCounts, Spec, convert_shard

Engine = Literal["local", "ray"]


def convert_dataset(
    src: str | os.PathLike[str],
    out: str | os.PathLike[str],
    spec: Spec | Mapping[str, Any],
    *,
    workers: int | None = None,
    engine: Engine = "local",
) -> ShardCounts:
    """Convert a file, or every ``*.jsonl`` and ``*.jsonl.gz`` under a folder; return the counts of all shards.

    A folder is written as a folder of the same shape. ``workers`` is the number of processes
    (by default one a core). Raises MigrationError for a source without shards, MissingExtra
    for ``engine="ray"`` without Ray.
    """
    spec = Spec.of(spec)
    shards = shards_of(Path(src), Path(out))
    counts = ShardCounts()
    for found in _ray(shards, spec) if engine == "ray" else _local(shards, spec, workers):
        counts.add(found)
    return counts


def shards_of(src: Path, out: Path) -> list[tuple[str, str]]:
    """Return source and target of every shard. Raises MigrationError where there is none."""
    if src.is_dir():
        files = sorted(path for path in src.rglob("*.jsonl*") if path.is_file() and _is_shard(path.name))
        pairs = [(str(path), str(out / path.relative_to(src))) for path in files]
    else:
        pairs = [(str(src), str(out))] if src.is_file() else []
    if not pairs:
        raise MigrationError("there is no *.jsonl to convert", path=os.fspath(src))
    return pairs


def _is_shard(name: str) -> bool:
    return name.endswith((".jsonl", ".jsonl.gz")) and not name.startswith(".")


def _local(shards: list[tuple[str, str]], spec: Spec, workers: int | None) -> list[ShardCounts]:
    count = min(len(shards), workers or os.cpu_count() or 1)
    if count <= 1:
        return [convert_shard(src, out, spec) for src, out in shards]
    # A fresh interpreter each: a fork would share locks and connections of this process.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context) as pool:
        return list(pool.map(convert_shard, *zip(*shards, strict=True), [spec] * len(shards)))


def _ray(shards: list[tuple[str, str]], spec: Spec) -> list[ShardCounts]:
    try:
        import ray
    except ImportError:
        raise MissingExtra.of("ray", "ray") from None
    task = ray.remote(max_retries=3)(convert_shard)
    found: list[ShardCounts] = ray.get([task.remote(src, out, spec) for src, out in shards])
    return found
