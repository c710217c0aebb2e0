"""Connections of the asyncio client's own, to one server in one event loop.

Rule: no task and nothing that is awaited while a connection is closed, so that a cancellation at any point, and a
second one, leaves nothing open. Bytes that nobody reads hold the server back.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from .exchange import Head
from .http1 import Reader
from .options import POOL
from .requests import Outgoing, Server
from .transport import KEPT, Address, ConnectError, ConnectTimeout, Heads, is_readable

#: Bytes that wait to be read before the server is held back, and seconds between addresses of one host.
_MOST: Final = 256 * 1024
_NEXT: Final = 0.25


class Connection(asyncio.Protocol):
    """One connection: what has come and was not read, and who waits for more."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._came: list[bytes] = []
        self._size = 0
        self._waiting: asyncio.Future[None] | None = None
        self._is_paused = self._is_over = False
        self._error: Exception | None = None
        self.since = 0.0

    # what the loop calls --------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport  # type: ignore[assignment]  # of a stream: it has what is used

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        self._came.append(data)
        self._size += len(data)
        if self._size > _MOST and not self._is_paused and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Take the end."""
        self._is_over = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end, or why the connection broke."""
        self._is_over, self._error = True, exc
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    # what a call uses -----------------------------------------------------------------

    @property
    def is_usable(self) -> bool:
        """Whether it can carry a call: nothing has come since the last one, not even the end."""
        return not (self._is_over or self._came or self._transport is None or self._transport.is_closing())

    @property
    def has_news(self) -> bool:
        """Whether something has come that the loop has not taken yet: of an idle connection, its end."""
        socket = None if self._transport is None else self._transport.get_extra_info("socket")
        return socket is not None and is_readable(socket)

    def write(self, data: bytes) -> None:
        """Send bytes; a connection that is broken says so where it is read."""
        if self._transport is not None:
            self._transport.write(data)

    async def read(self, deadline: float | None) -> bytes:
        """Return what has come, none at the end. Raises TimeoutError, or what broke the connection."""
        if not self._came and not self._is_over:
            await self._more(deadline)
        if self._came:
            data = self._came[0] if len(self._came) == 1 else b"".join(self._came)
            self._came.clear()
            self._size = 0
            if self._is_paused and self._transport is not None:
                self._is_paused = False
                self._transport.resume_reading()
            return data
        if self._error is not None:
            raise self._error
        return b""

    async def _more(self, deadline: float | None) -> None:
        """Wait until something has come. Raises TimeoutError at the deadline, a moment of the monotonic clock."""
        waiting = self._waiting = self._loop.create_future()
        timer = None
        if deadline is not None:
            timer = self._loop.call_later(max(0.0, deadline - time.monotonic()), _expire, waiting)
        try:
            await waiting
        finally:
            self._waiting = None
            if timer is not None:
                timer.cancel()

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()


def _expire(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_exception(TimeoutError())


class AsyncTransport:
    """A pool of connections to one server."""

    def __init__(self, server: Server, *, trust_env: bool) -> None:
        self._heads = Heads(server, trust_env=trust_env)
        self._delay = None if server.is_local else _NEXT
        self._idle: list[Connection] = []
        self._closed = False

    async def send(self, out: Outgoing, *, connect: float | None, deadline: float | None) -> AsyncAnswer:
        """Send a request and return its answer, whose head is read. Raises OSError, RemoteProtocolError, ClientError.

        ``connect`` is seconds, ``deadline`` a moment of the monotonic clock.
        """
        data = self._heads.bytes_of(out)
        answer = AsyncAnswer(self, self._kept() or await self._connected(self._heads.address, connect))
        try:
            await answer.send(data, deadline)
        except BaseException:
            answer.close()
            raise
        return answer

    def _kept(self) -> Connection | None:
        now = time.monotonic()
        while self._idle:
            found = self._idle.pop()
            if found.is_usable and now - found.since < KEPT and not found.has_news:
                return found
            found.abort()
        return None

    async def _connected(self, address: Address, seconds: float | None) -> Connection:
        loop = asyncio.get_running_loop()
        host = address.host if address.tls is not None else None
        try:
            async with asyncio.timeout(seconds):
                _, made = await loop.create_connection(
                    Connection, address.host, address.port,
                    ssl=address.tls, server_hostname=host, happy_eyeballs_delay=self._delay,
                )  # fmt: skip
        except TimeoutError:
            raise ConnectTimeout("no connection in time") from None
        except OSError as error:
            raise ConnectError(str(error)) from error
        return made

    def give_back(self, connection: Connection) -> None:
        """Keep a connection for the next call, or close it."""
        if self._closed or len(self._idle) >= POOL or not connection.is_usable:
            connection.abort()
            return
        connection.since = time.monotonic()
        self._idle.append(connection)

    async def aclose(self) -> None:
        """Close the connections that are kept."""
        self._closed = True
        while self._idle:
            self._idle.pop().abort()
        await asyncio.sleep(0)  # the loop closes their sockets


class AsyncAnswer:
    """An answer that is read from a connection: its head, then its bytes, then it is closed."""

    def __init__(self, pool: AsyncTransport, connection: Connection) -> None:
        self._pool, self._connection, self._reader = pool, connection, Reader()
        self._begun = b""  # the bytes of the body that came with the head

    async def send(self, data: bytes, deadline: float | None) -> None:
        """Send a request, and read the head of the answer."""
        self._connection.write(data)
        while self._reader.head is None:
            self._begun = self._reader.feed(await self._connection.read(deadline))

    @property
    def head(self) -> Head:
        """Status and headers."""
        assert self._reader.head is not None
        return self._reader.head

    async def read(self, deadline: float | None) -> bytes:
        """Return the next bytes of the body, none at its end. Raises OSError, RemoteProtocolError."""
        data, self._begun = self._begun, b""
        while not data and not self._reader.over:
            data = self._reader.feed(await self._connection.read(deadline))
        return data

    def close(self) -> None:
        """Let the connection go: back to the pool where the answer was read to its end."""
        if self._reader.over and self._reader.keeps:
            self._pool.give_back(self._connection)
        else:
            self._connection.abort()
