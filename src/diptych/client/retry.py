"""Whether to try again, and when: a generator that is sent failures and yields waits.

Rule: no clock, no sleep, no I/O here. Statuses and delays are those of the official
SDK (openai-python 3.54: 408, 409, 429, 5xx; 0.5 s doubled up to 8 s, less up to a
quarter of jitter; Retry-After wins; a wish for more than 120 s ends it). Unlike it,
an exhausted quota and the same 5xx answer twice running are final.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

_RETRIED: Final = frozenset({408, 409, 429})
#: Seconds: a server that asks for a longer wait is not waited for.
LONGEST_WAIT: Final = 120.0


@dataclass(frozen=True, slots=True)
class Retries:
    """At most ``count`` further attempts; ``backoff`` seconds, doubled up to ``ceiling``.

    ``ambiguous=False`` never repeats a request that the server may have worked on, so
    that nothing is billed twice.
    """

    count: int = 2
    _: KW_ONLY
    backoff: float = 0.5
    ceiling: float = 8.0
    ambiguous: bool = True

    @classmethod
    def of(cls, value: int | Retries) -> Retries:
        """Return the policy for what ``retries=`` was given. Raises ValueError below 0."""
        if isinstance(value, bool) or not isinstance(value, int | Retries):
            raise TypeError(f"retries= takes a number or Retries(…), not {type(value).__name__}")
        found = value if isinstance(value, Retries) else cls(value)
        if found.count < 0 or found.backoff < 0:
            raise ValueError("retries are 0 or more")
        return found


@dataclass(frozen=True, slots=True)
class Failure:
    """What is known of a failed attempt; ``fingerprint`` tells equal answers apart from others.

    ``status`` is 0 where no answer came.
    """

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    permanent: bool = False
    ambiguous: bool = False
    fingerprint: str = ""


def schedule(
    retries: Retries, *, random: Callable[[], float], now: Callable[[], datetime]
) -> Generator[float, Failure, None]:
    """Yield the seconds to wait before each attempt; ends where there shall be none.

    >>> from datetime import timezone
    >>> plan = schedule(Retries(1), random=lambda: 0.0, now=lambda: datetime.now(timezone.utc))
    >>> next(plan), plan.send(Failure(503))
    (0.0, 0.5)
    """
    wait, last = 0.0, None
    for attempt in range(retries.count + 1):
        failure = yield wait
        if not _may_retry(failure, retries) or (last is not None and _same(last, failure)):
            return
        asked = retry_after(failure.headers, now())
        if asked is not None and asked > LONGEST_WAIT:
            return
        wait = min(retries.backoff * 2.0**attempt, retries.ceiling) * (1 - 0.25 * random())
        wait = asked if asked is not None and asked > 0 else wait
        last = failure


def _may_retry(failure: Failure, retries: Retries) -> bool:
    if failure.permanent or (failure.ambiguous and not retries.ambiguous):
        return False
    if failure.status == 0:
        return True
    wish = failure.headers.get("x-should-retry")
    if wish in ("true", "false"):
        return wish == "true"
    return failure.status in _RETRIED or failure.status >= 500


def _same(last: Failure, failure: Failure) -> bool:
    """Return whether the server repeats a deterministic mistake: the same 500 with the same body."""
    return (
        failure.status == 500 == last.status and bool(failure.fingerprint) and failure.fingerprint == last.fingerprint
    )


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that a server asks to wait: milliseconds, seconds or an HTTP date.

    >>> retry_after({"retry-after-ms": "300"}, datetime.now())
    0.3
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is not None or not value:
        return seconds
    try:
        return (parsedate_to_datetime(value) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None
