"""Threads that work through items, and can be stopped without losing what they have done.

Rule: an item is taken by one thread; what it gives waits until it is asked for, also after a stop.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, Generic, NamedTuple, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

logger = logging.getLogger("diptych.client")
#: Seconds that answers under way are waited for when a run is stopped.
GRACE: Final = 30.0


def check_concurrency(value: int) -> None:
    """Raise ValueError for a number of calls that is not positive."""
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"concurrency is a number of calls from 1, not {value!r}")


class Crew(Generic[Item, Outcome]):
    """Threads that take items and work on each; whoever runs them gets the outcomes as they come.

    They are daemons: a process that is told to leave does not wait for a server that hangs.
    """

    def __init__(self, items: Iterator[Item], work: Callable[[Item], Outcome], count: int) -> None:
        self._items, self._work = items, work
        self._taking, self._stopped = threading.Lock(), threading.Event()
        self._found: queue.SimpleQueue[Outcome | _Broken | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"diptych-crew-{number}", daemon=True)
            for number in range(max(1, count))
        ]

    def run(self) -> Iterator[Outcome]:
        """Start; yield the outcomes as they come. Raises what no outcome says: a file that breaks off, a full disk."""
        for thread in self._threads:
            thread.start()
        busy = len(self._threads)
        while busy:
            found = self._next()
            if found is None:
                busy -= 1
            elif isinstance(found, _Broken):
                raise found.error
            else:
                yield found

    def stop(self, seconds: float) -> None:
        """Take no more items, and wait so long for the work under way."""
        self._stopped.set()
        until = time.monotonic() + seconds
        busy = [thread for thread in self._threads if thread.is_alive()]
        if busy:
            logger.warning("stopping: waiting up to %g s for the answers that are under way", seconds)
        for thread in busy:
            thread.join(max(0.0, until - time.monotonic()))

    def left(self) -> Iterator[Outcome]:
        """Yield the outcomes that nobody has seen yet."""
        while not self._found.empty():
            found = self._found.get()
            if found is not None and not isinstance(found, _Broken):
                yield found

    def _next(self) -> Outcome | _Broken | None:
        while True:
            # Without a limit, Windows would not let Ctrl-C through.
            with contextlib.suppress(queue.Empty):
                return self._found.get(timeout=1.0)

    def _run(self) -> None:
        try:
            while (line := self._take()) is not None:
                self._found.put(self._work(line))
            self._found.put(None)
        except BaseException as error:
            self._found.put(_Broken(error))

    def _take(self) -> Item | None:
        with self._taking:
            return None if self._stopped.is_set() else next(self._items, None)


class _Broken(NamedTuple):
    """What ended a thread of the crew."""

    error: BaseException
