"""A data set: its shards side by side, in processes of this machine or of a Ray cluster.

Rule: shards share nothing, so a worker that dies costs its shard and nothing else; what is
done stays done, and the same call goes on where it ended, to the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Literal

from ...errors import MigrationError
from . import local, ray_cluster
from .counts import ShardCounts
from .lock import held
from .plan import plan_dataset
from .spec import Spec
from .storage import place

Engine = Literal["local", "ray"]
#: Is told how many of how many shards are done, and the counts of the last one.
OnProgress = Callable[[int, int, ShardCounts], None]


def convert_dataset(
    src: str | os.PathLike[str],
    out: str | os.PathLike[str],
    spec: Spec | Mapping[str, Any],
    *,
    workers: int | None = None,
    engine: Engine = "local",
    part: int | None = None,
    ignore: bool = True,
    join: bool = True,
    restart: bool = False,
    on_progress: OnProgress | None = None,
) -> ShardCounts:
    """Convert a file, or every data file under a folder; return the counts of all of it.

    Data files are JSON lines, JSON arrays, CSV, TSV and Parquet, compressed or not; their content says which. They
    stand on this machine or elsewhere (``s3://``, ``gs://``, ``hf://``, ``https://``: extra ``remote``). A folder is
    written as a folder of the same shape; larger files are converted in parts of ``part`` bytes, which become one file
    again, or with ``join=False``
    stay in a folder of the target's name. ``workers`` is the number of processes (by default one a core; on Ray, the
    shards in flight). Of a folder, files that ``.gitignore`` or ``exclude`` leave out are taken only with
    ``ignore=False``. An interrupted run is continued; ``restart`` gives up what it has done. Raises MigrationError
    for a source without data or one that changed, for a target that another process converts to, and when workers
    keep dying; MissingExtra for ``engine="ray"`` without Ray.
    """
    if engine not in ("local", "ray"):
        raise MigrationError(f"there is no engine {engine!r}", hint="local or ray")
    run = ray_cluster.run if engine == "ray" else local.run
    with held(place(out)):
        plan = plan_dataset(src, out, spec, part=part, ignore=ignore, join=join, restart=restart)
        shards = plan.shards
        for done, counts in enumerate(run(shards, workers), 1):
            if on_progress is not None:
                on_progress(done, len(shards), counts)
        return plan.finish()
