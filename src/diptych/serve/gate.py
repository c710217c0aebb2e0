"""Who comes in, and how many: keys, and calls at the same time.

Rule: keys are compared as digests, in constant time, and never shown. What the bridge cannot take is refused
at once, with the seconds after which to come again.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from .refusals import refuse

#: The variable that holds the bridge's own keys, one or several with commas between them.
KEYS: Final = "DIPTYCH_SERVE_KEYS"
#: Headers in which clients send a key: OpenAI's, Anthropic's, Azure's.
_HEADERS: Final = ("authorization", "x-api-key", "api-key")


class Keys:
    """The keys that clients may use; with none, everybody may.

    >>> keys = Keys(["secret"])
    >>> keys.name_of({"authorization": "Bearer secret"}) is not None, keys.name_of({}) is None
    (True, True)
    """

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._digests = [hashlib.sha256(key.strip().encode()).digest() for key in keys if key.strip()]

    def __bool__(self) -> bool:
        return bool(self._digests)

    def __repr__(self) -> str:
        return f"<Keys {len(self._digests)}>"

    def name_of(self, headers: Mapping[str, str]) -> str | None:
        """Return the name by which the log knows the key of a request, None where it has none that is known."""
        for header in _HEADERS:
            given = headers.get(header, "").removeprefix("Bearer ").strip()
            digest = hashlib.sha256(given.encode()).digest()
            if given and any(hmac.compare_digest(digest, known) for known in self._digests):
                return f"key-{digest.hex()[:8]}"
        return None


def keys_from(file: Path | None) -> Keys:
    """Return the keys of a file, one a line, and of the environment."""
    lines = file.read_text("utf-8").splitlines() if file is not None else []
    given = [line for line in lines if not line.lstrip().startswith("#")]
    return Keys([*given, *os.environ.get(KEYS, "").split(",")])


class Gate:
    """How many calls run at the same time, and how many wait."""

    def __init__(self, calls: int, queue: int) -> None:
        self._free, self._queue = asyncio.Semaphore(calls), queue
        self.running = self.waiting = self.served = 0
        self.is_open = True

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[None]:
        """Hold a place while a call runs. Raises RefusedError where too many wait already."""
        if self._free.locked() and self.waiting >= self._queue:
            text = f"{self.running} calls run and {self.waiting} wait"
            raise refuse(503, text, code="overloaded", again=True, headers={"retry-after": "1"})
        self.waiting += 1
        try:
            await self._free.acquire()
        finally:
            self.waiting -= 1
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            self.served += 1
            self._free.release()
