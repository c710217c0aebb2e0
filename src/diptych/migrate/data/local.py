"""Shards in processes of this machine.

Rule: a fresh interpreter each, since a fork would share locks and connections. A worker
that is killed costs its shard one more try; workers whose caller is killed go, too.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Final

from ...errors import MigrationError
from .counts import ShardCounts
from .parts import Shard
from .shard import convert_shard

#: Pools that may break with no shard done in between, before the machine is taken to be at fault.
_TRIES: Final = 5


def run(shards: list[Shard], workers: int | None) -> Iterator[ShardCounts]:
    """Convert the shards and yield their counts as they come.

    Raises what a shard raises, and MigrationError where workers die again and again.
    """
    count = min(len(shards), workers or os.cpu_count() or 1)
    if count <= 1:
        yield from (convert_shard(*shard) for shard in shards)
        return
    left, tries = list(shards), 0
    while left:
        before = len(left)
        try:
            yield from _pool(left, count)
        except BrokenProcessPool:
            tries = tries + 1 if len(left) == before else 0
            if tries == _TRIES:
                raise MigrationError(
                    f"workers died {_TRIES} times and finished nothing in between",
                    path=left[0].src.path,
                    hint="too little memory? try fewer workers; what is done is kept",
                ) from None


def _pool(left: list[Shard], count: int) -> Iterator[ShardCounts]:
    """Convert shards in one pool, and take out of ``left`` what is done."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context, initializer=_follow_parent) as pool:
        running: dict[Future[ShardCounts], Shard] = {}
        waiting = iter(list(left))
        try:
            for shard in waiting:
                running[pool.submit(convert_shard, *shard)] = shard
                if len(running) >= 2 * count:
                    yield from _collect(running, left)
            while running:
                yield from _collect(running, left)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _collect(running: dict[Future[ShardCounts], Shard], left: list[Shard]) -> Iterator[ShardCounts]:
    finished, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in finished:
        shard = running.pop(future)
        counts = future.result()
        left.remove(shard)
        yield counts


def _follow_parent() -> None:
    """End this worker when its caller does: a pool's workers would wait for it for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)
