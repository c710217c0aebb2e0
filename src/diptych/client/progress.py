"""A line that counts, on standard error, where that is a terminal."""

from __future__ import annotations

import sys
import threading
import time
from typing import Final

#: Seconds between two drawings.
_EVERY: Final = 0.1


class Progress:
    """Counts steps and draws them, at most ten times a second; safe in threads."""

    def __init__(self, total: int, *, shown: bool) -> None:
        self._total, self._done, self._drawn = total, 0, 0.0
        self._shown = shown and sys.stderr.isatty()
        self._lock = threading.Lock()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._shown and self._done:
            self._draw()
            sys.stderr.write("\n")

    def step(self) -> None:
        """Count one more."""
        with self._lock:
            self._done += 1
            if self._shown and time.monotonic() - self._drawn > _EVERY:
                self._drawn = time.monotonic()
                self._draw()

    def _draw(self) -> None:
        sys.stderr.write(f"\r{self._done}/{self._total}")
        sys.stderr.flush()
