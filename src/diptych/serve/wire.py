"""A lean HTTP/1.1 client for the upstream: asyncio's streams, h11's rules.

Rule: it has the shape of an HTTP library that :class:`diptych.AsyncClient` takes (``build_request``, ``send``,
``aclose``) and no more: one origin's connections are kept, nothing is followed, retried or decoded. A call costs a
fraction of what it does with httpx, which is used where a proxy of the environment is in between.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import urllib.request
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import h11

from ..client.options import POOL
from ..client.requests import is_loopback

#: Bytes of one read.
_READ: Final = 65536


class ConnectError(OSError):
    """No connection could be made; the client knows it by its name, as that of httpx."""


class ConnectTimeout(ConnectError):  # the name that httpx has
    """No connection was made in time."""


class RemoteProtocolError(Exception):
    """The server does not speak HTTP as it should, or went away within an answer."""


class Address(NamedTuple):
    """Where a request goes."""

    secure: bool
    host: str
    port: int
    target: bytes
    netloc: bytes


def address_of(url: str | Address) -> Address:
    """Return the parts of a URL.

    >>> address_of("http://127.0.0.1:8080/v1/models?a=b").target
    b'/v1/models?a=b'
    """
    if isinstance(url, Address):
        return url
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.hostname or ""
    return Address(secure, host, parts.port or (443 if secure else 80), target.encode(), parts.netloc.encode())


class Request(NamedTuple):
    """A request that is ready to be sent."""

    method: str
    url: Address
    headers: list[tuple[bytes, bytes]]
    content: bytes
    timeout: float | None
    trace: Any


class _Connection:
    """One connection with the state of its protocol."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.state = h11.Connection(h11.CLIENT)

    @property
    def is_alive(self) -> bool:
        """Whether it can be used again: the server may have closed it meanwhile."""
        return not (self.reader.at_eof() or self.writer.transport.is_closing())

    async def event(self) -> Any:
        """Return the next event of the answer."""
        try:
            while (found := self.state.next_event()) is h11.NEED_DATA:
                self.state.receive_data(await self.reader.read(_READ))
        except h11.RemoteProtocolError as error:
            raise RemoteProtocolError(str(error)) from None
        return found


class _Headers(NamedTuple):
    raw: list[tuple[bytes, bytes]]


class Response:
    """An answer whose body is still to be read."""

    def __init__(self, http: LeanHttp, key: Any, connection: _Connection, head: Any) -> None:
        self.status_code: int = head.status_code
        self.headers = _Headers(list(head.headers))
        self._http, self._key, self._connection = http, key, connection

    async def aiter_raw(self) -> AsyncIterator[bytes]:
        """Yield the bytes of the body as they come."""
        while True:
            event = await self._connection.event()
            if type(event) is h11.Data:
                yield bytes(event.data)
            elif type(event) is h11.EndOfMessage:
                return
            else:
                raise RemoteProtocolError("the connection was closed within the answer")

    async def aclose(self) -> None:
        """Give the connection back where the answer was read to its end, else close it."""
        self._http.give_back(self._key, self._connection)


class LeanHttp:
    """What :class:`diptych.AsyncClient` takes as ``http=``."""

    def __init__(self) -> None:
        self._idle: dict[tuple[bool, str, int], list[_Connection]] = {}
        self._tls: ssl.SSLContext | None = None

    def build_request(
        self,
        method: str,
        url: str | Address,
        *,
        headers: Mapping[str, str],
        content: bytes,
        timeout: Any = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> Request:
        """Return a request; ``timeout`` is httpx's tuple, of which the first counts: seconds to connect."""
        address = address_of(url)
        sent = [(b"host", address.netloc), (b"content-length", str(len(content)).encode())]
        sent += [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
        trace = (extensions or {}).get("trace")
        return Request(method, address, sent, content, timeout[0] if timeout else None, trace)

    async def send(self, request: Request, *, stream: bool = True, follow_redirects: bool = False) -> Response:
        """Send a request; return the answer with its head read. Raises ConnectError, RemoteProtocolError, OSError."""
        key = request.url[:3]
        connection = self._kept(key) or await self._connected(request)
        try:
            if request.trace is not None:
                await request.trace("http11.send_request_headers.started", None)
            state = connection.state
            head = h11.Request(method=request.method, target=request.url.target, headers=request.headers)
            parts = [state.send(head), state.send(h11.Data(data=request.content)), state.send(h11.EndOfMessage())]
            connection.writer.write(b"".join(part for part in parts if part))
            await connection.writer.drain()
            answer = await connection.event()
            while type(answer) is h11.InformationalResponse:
                answer = await connection.event()
            if type(answer) is not h11.Response:
                raise RemoteProtocolError("the server closed the connection without an answer")
        except BaseException:
            connection.writer.close()
            raise
        return Response(self, key, connection, answer)

    def _kept(self, key: Any) -> _Connection | None:
        idle = self._idle.get(key, [])
        while idle:
            connection = idle.pop()
            if connection.is_alive:
                return connection
            connection.writer.close()
        return None

    async def _connected(self, request: Request) -> _Connection:
        address = request.url
        tls = self._context() if address.secure else None
        opening = asyncio.open_connection(address.host, address.port, ssl=tls)
        try:
            return _Connection(*await asyncio.wait_for(opening, request.timeout))
        except TimeoutError:
            raise ConnectTimeout("no connection in time") from None
        except OSError as error:
            raise ConnectError(str(error)) from error

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            import certifi

            own = os.environ.get("SSL_CERT_FILE") or certifi.where()
            self._tls = ssl.create_default_context(cafile=own, capath=os.environ.get("SSL_CERT_DIR"))
        return self._tls

    def give_back(self, key: Any, connection: _Connection) -> None:
        """Keep a connection for the next call, or close it."""
        state, idle = connection.state, self._idle.setdefault(key, [])
        done = state.our_state is h11.DONE and state.their_state is h11.DONE
        if not done or len(idle) >= POOL or not connection.is_alive:
            connection.writer.close()
            return
        state.start_next_cycle()
        idle.append(connection)

    async def aclose(self) -> None:
        """Close the connections that are kept."""
        for idle in self._idle.values():
            for connection in idle:
                connection.writer.close()
            idle.clear()


def lean_http(url: str, *, trust_env: bool) -> LeanHttp | None:
    """Return the lean client for an upstream, None where a proxy of the environment is in between."""
    host = urlsplit(url).hostname or ""
    if is_loopback(host) or not trust_env or urllib.request.proxy_bypass(host):
        return LeanHttp()
    return None if urllib.request.getproxies().keys() & {urlsplit(url).scheme, "all"} else LeanHttp()
