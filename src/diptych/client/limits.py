"""Pace: so many requests and tokens a minute, corrected by what the server says.

Rule: no clock and no sleep of its own; it is asked at a moment and answers in
seconds to wait. One limiter serves every thread and task; one 429 pauses them all.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Mapping
from typing import Final, NoReturn

#: Seconds of each unit in a Go duration: 6m0s, 120ms, 23h18m29.144s.
_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
#: Seconds between two looks for a free place, per call that waits, and at most.
_POLL: Final = 0.002
_LONGEST_POLL: Final = 0.25
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s)")


class _Bucket:
    """A token bucket that refills evenly; it may go into debt, which is then waited for."""

    def __init__(self, per_minute: float) -> None:
        self.size = per_minute
        self.level = per_minute
        self.at: float | None = None

    def take(self, amount: float, now: float) -> float:
        if self.at is not None:
            self.level = min(self.size, self.level + (now - self.at) * self.size / 60)
        self.at = now
        # A call larger than the bucket goes when the bucket is full; it can never fit.
        need = min(amount, self.size)
        wait = max(0.0, (need - self.level) * 60 / self.size)
        self.level -= need
        return wait

    def give_back(self, amount: float) -> None:
        self.level = min(self.size, self.level + min(amount, self.size))


class RateLimits:
    """Limits on requests and tokens per minute, and on calls at the same time (``concurrency``).

    Tokens are the estimate of a call: its prompt and its output cap. A call that is not sent after all
    (its time is over before its turn, its budget refuses, no connection) gives its place back. The caps on
    what a template may cost are :class:`diptych.Limits`.

    >>> limits = RateLimits(requests_per_minute=60)
    >>> limits.wait(0, now=0.0)
    0.0
    """

    def __init__(
        self,
        *,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        concurrency: int | None = None,
    ) -> None:
        for value in (requests_per_minute, tokens_per_minute):
            if value is not None and not (isinstance(value, int | float) and 0 < value < math.inf):
                raise ValueError(f"a limit is a positive number per minute, not {value!r}")
        if concurrency is not None and (not isinstance(concurrency, int) or concurrency < 1):
            raise ValueError(f"concurrency is a number of calls from 1, not {concurrency!r}")
        self._most, self._under_way, self._queued = concurrency, 0, 0
        self._requests = _Bucket(requests_per_minute) if requests_per_minute else None
        self._tokens = _Bucket(tokens_per_minute) if tokens_per_minute else None
        self._pause = 0.0
        self._lock = threading.Lock()

    def __reduce__(self) -> NoReturn:
        raise TypeError("limits are shared by threads and tasks, not by processes: they are not pickled")

    @property
    def counts_tokens(self) -> bool:
        """True where calls must say how many tokens they may use."""
        return self._tokens is not None

    def wait(self, tokens: int, *, now: float) -> float:
        """Take a place for a call and return the seconds until it may go."""
        with self._lock:
            waits = [max(0.0, self._pause - now)]
            if self._requests:
                waits.append(self._requests.take(1, now))
            if self._tokens:
                waits.append(self._tokens.take(tokens, now))
            return max(waits)

    def give_back(self, tokens: int) -> None:
        """Return the place of a call that was not sent."""
        with self._lock:
            if self._requests:
                self._requests.give_back(1)
            if self._tokens:
                self._tokens.give_back(tokens)

    def enter(self, *, again: bool = False) -> float:
        """Begin a call, or return the seconds after which to ask ``again`` where too many are under way."""
        with self._lock:
            self._queued -= again
            if self._most is None or self._under_way < self._most:
                self._under_way += 1
                return 0.0
            self._queued += 1
            return min(_LONGEST_POLL, _POLL * self._queued)

    def forget(self) -> None:
        """Give up waiting: a call that was told to ask again will not."""
        with self._lock:
            self._queued -= 1

    def leave(self) -> None:
        """End a call that had begun."""
        with self._lock:
            self._under_way -= 1

    def pause(self, seconds: float, *, now: float) -> None:
        """Let no call go for so many seconds: the server said 429."""
        with self._lock:
            self._pause = max(self._pause, now + seconds)

    def paused(self, *, now: float) -> float:
        """Return the seconds that a pause still lasts."""
        return max(0.0, self._pause - now)

    def learn(self, headers: Mapping[str, str], *, now: float) -> None:
        """Correct the pace by ``x-ratelimit-remaining-*`` and ``x-ratelimit-reset-*``."""
        with self._lock:
            for bucket, name in ((self._requests, "requests"), (self._tokens, "tokens")):
                left = headers.get(f"x-ratelimit-remaining-{name}")
                if bucket is not None and left is not None and left.strip().isdecimal():
                    bucket.level = min(bucket.level, float(left))
                if left == "0" and (reset := duration(headers.get(f"x-ratelimit-reset-{name}", ""))):
                    self._pause = max(self._pause, now + reset)


def duration(text: str) -> float | None:
    """Return the seconds of a Go duration or a plain number, None for anything else.

    >>> duration("6m0s"), duration("120ms"), duration("1.5"), duration("soon")
    (360.0, 0.12, 1.5, None)
    """
    text = text.strip()
    parts = _PART.findall(text)
    if parts and "".join(n + u for n, u in parts) == text:
        return float(sum(float(number) * _UNITS[unit] for number, unit in parts))
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None
