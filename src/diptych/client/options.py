"""Settings of a client as values: which API, time limits and sizes.

Rule: a number is seconds for the whole call, retries and stream included.
"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import Final

#: Bytes that a whole answer may have, on the wire and decompressed.
MAX_RESPONSE: Final = 16 * 1024 * 1024
#: Bytes that all chunks of one stream may have together.
MAX_STREAM: Final = 64 * 1024 * 1024
#: Bytes that are read of a failed answer's body: enough for any error object.
MAX_ERROR: Final = 256 * 1024
#: Connections that are kept for the next call.
POOL: Final = 100
#: Seconds given to the end of a stream after its last event, so that its connection can be used again.
DRAIN: Final = 0.1


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Time limits in seconds; None is no limit.

    ``total`` bounds the whole call, with its retries, waits and stream; ``connect``
    one connection's making; ``first_token`` the time from sending to the first
    delta of a stream; ``idle`` the silence between two reads of a body.

    >>> Timeouts(total=30).connect
    10.0
    """

    total: float | None = 600.0
    _: KW_ONLY
    connect: float | None = 10.0
    first_token: float | None = None
    idle: float | None = None

    @classmethod
    def of(cls, value: float | Timeouts | None) -> Timeouts:
        """Return the limits for what ``timeout=`` was given: limits, seconds, or None.

        Raises TypeError for anything else, such as the exception ``Timeout``, and ValueError
        for a number that is not positive.
        """
        if not isinstance(value, int | float | Timeouts | None):
            raise TypeError(f"timeout= takes seconds, Timeouts(…) or None, not {type(value).__name__}")
        found = value if isinstance(value, Timeouts) else cls(total=value)
        for limit in (found.total, found.connect, found.first_token, found.idle):
            if limit is not None and not (limit > 0 and not math.isnan(limit)):
                raise ValueError(f"a timeout is a positive number of seconds, not {limit!r}")
        return found
