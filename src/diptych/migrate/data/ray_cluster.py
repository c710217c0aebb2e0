"""Shards on a Ray cluster, local or remote; Ray is imported here alone.

Rule: the same shards, the same files. A cluster of several machines needs the data and
the results in a place that all of them see under the same path.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Final

from ...errors import DiptychError, MissingExtra
from .counts import ShardCounts
from .parts import Shard
from .shard import convert_shard

#: Tries of a shard whose worker was killed.
_RETRIES: Final = 20
#: A cluster of one's own: shards pass files, not objects, so the store may be as small as Ray allows.
_LOCAL: Final = {"address": "local", "include_dashboard": False, "object_store_memory": 80 << 20}


def run(shards: list[Shard], workers: int | None) -> Iterator[ShardCounts]:
    """Convert the shards as tasks of Ray and yield their counts as they come.

    Uses the cluster that the process is connected to, else that of ``RAY_ADDRESS``, else a local
    one with ``workers`` processors. Raises what a shard raises, and MissingExtra without Ray.
    """
    ray = _ray()
    if not ray.is_initialized():
        _start(ray, workers)
    task = ray.remote(max_retries=_RETRIES)(convert_shard)
    most = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
    running: list[Any] = []
    for shard in shards:
        running.append(task.remote(*shard))
        if len(running) >= 2 * most:
            finished, running = ray.wait(running)
            yield from _counts(ray, finished)
    while running:
        finished, running = ray.wait(running)
        yield from _counts(ray, finished)


def _counts(ray: Any, finished: list[Any]) -> list[ShardCounts]:
    """Return the counts of finished tasks. Raises what a shard raised, without Ray's wrapping."""
    try:
        found: list[ShardCounts] = ray.get(finished)
    except ray.exceptions.RayTaskError as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, DiptychError):
            raise cause from None
        raise
    return found


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise MissingExtra.of("ray", "ray") from None
    return ray


def _start(ray: Any, workers: int | None) -> None:
    options: dict[str, Any] = {} if os.environ.get("RAY_ADDRESS") else {**_LOCAL, "num_cpus": workers}
    ray.init(log_to_driver=False, logging_level="ERROR", **options)
