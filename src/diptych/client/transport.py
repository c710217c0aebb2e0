"""Connections of the clients' own, to one server: sockets, and the rules of :mod:`.http1`.

Rule: what does not change from call to call (address, head of the request) is made once. Nothing is followed, stored
or decoded: no redirect, no cookie, no content encoding. Every operation ends by the deadline of the call. Where the
environment names a proxy, httpx is used instead, which knows the rules for it.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

from ..errors import ClientError
from .exchange import Head
from .http1 import Reader
from .options import POOL
from .requests import Outgoing, Server

#: Seconds that an idle connection is kept, as httpx does.
KEPT: Final = 5.0
#: Bytes of one read.
READ: Final = 64 * 1024
#: Kinds of requests whose heads are kept: few, as a client has one key and few APIs.
_KNOWN: Final = 64
#: What a target is made of beside letters, digits and ``-._~`` (RFC 3986).
_TARGET: Final = "/:@!$&'()*+,;=%?"
#: The shortest wait that a socket is given: 0 would mean "do not wait at all".
_LEAST: Final = 0.001


class ConnectError(OSError):
    """No connection could be made; known by its name, as that of httpx."""


class ConnectTimeout(ConnectError):  # the name that httpx has
    """No connection was made in time."""


def is_direct(server: Server, *, trust_env: bool) -> bool:
    """Return whether a server is called without a proxy. One on this machine always is."""
    if server.is_local or not trust_env:
        return True
    parts = urlsplit(server.base_url)
    return not getproxies().keys() & {parts.scheme, "all"} or bool(proxy_bypass(parts.hostname or ""))


class Address(NamedTuple):
    """Where a server is: host in ASCII, port, and what verifies its certificate."""

    host: str
    port: int
    tls: ssl.SSLContext | None


def _bad_address() -> ClientError:
    return ClientError("base_url is not a valid address", hint="for example https://api.openai.com/v1")


def _host_of(url: str) -> str:
    """Return the host of an address as it goes over the wire. Raises ClientError."""
    host = urlsplit(url).hostname or ""
    if host.isascii():
        return host
    import idna

    try:
        return idna.encode(host).decode("ascii")
    except UnicodeError:
        raise _bad_address() from None


class Heads:
    """The heads of requests to one server, as bytes."""

    def __init__(self, server: Server, *, trust_env: bool) -> None:
        parts = urlsplit(server.base_url)
        secure = parts.scheme == "https"
        host = _host_of(server.base_url)
        tls = None
        if secure:
            import httpx

            tls = httpx.create_ssl_context(trust_env=trust_env)
        self.address = Address(host, parts.port or (443 if secure else 80), tls)
        named = f"[{host}]" if ":" in host else host
        self._host = f"{named}:{parts.port}" if parts.port else named
        self._known: dict[Any, bytes] = {}

    def bytes_of(self, out: Outgoing) -> bytes:
        """Return a request as it is sent. Raises ClientError for a path that cannot be."""
        kind = (out.method, out.url, *out.headers.items())
        head = self._known.get(kind)
        if head is None:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            head = self._known[kind] = self._head(out.method, out.url, out.headers)
        if not out.content and out.method == "GET":
            return head + b"\r\n"
        return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(out.content), out.content)

    def _head(self, method: str, url: str, headers: Mapping[str, str]) -> bytes:
        parts = urlsplit(url)
        try:
            target = quote(parts.path or "/", safe=_TARGET) + (f"?{quote(parts.query, _TARGET)}" if parts.query else "")
            lines = [f"{method} {target} HTTP/1.1", f"Host: {self._host}", "User-Agent: diptych"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            if any("\r" in line or "\n" in line or "\0" in line for line in lines):
                raise _bad_address()
            return "".join(f"{line}\r\n" for line in lines).encode("ascii")
        except UnicodeError:
            raise _bad_address() from None


# blocking -------------------------------------------------------------------------------------------


def _until(seconds: float | None) -> float | None:
    return None if seconds is None else time.monotonic() + seconds


def _left(until: float | None) -> float | None:
    return None if until is None else max(until - time.monotonic(), _LEAST)


class Transport:
    """A pool of blocking connections to one server; usable from many threads."""

    def __init__(self, server: Server, *, trust_env: bool) -> None:
        self._heads = Heads(server, trust_env=trust_env)
        self._lock = threading.Lock()
        self._idle: list[tuple[socket.socket, float]] = []
        self._closed = False

    def send(self, out: Outgoing, *, connect: float | None, deadline: float | None) -> Answer:
        """Send a request and return its answer, whose head is read. Raises OSError, RemoteProtocolError, ClientError.

        ``connect`` is seconds, ``deadline`` a moment of the monotonic clock.
        """
        data = self._heads.bytes_of(out)
        answer = Answer(self, self._kept() or _connected(self._heads.address, connect))
        try:
            answer.send(data, deadline)
        except BaseException:
            answer.close()
            raise
        return answer

    def _kept(self) -> socket.socket | None:
        """Return an idle connection that its server has not closed."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                found, since = self._idle.pop()
            if time.monotonic() - since < KEPT and not is_readable(found):
                return found
            found.close()

    def give_back(self, connection: socket.socket) -> None:
        """Keep a connection for the next call, or close it."""
        with self._lock:
            if not self._closed and len(self._idle) < POOL:
                self._idle.append((connection, time.monotonic()))
                return
        connection.close()

    def close(self) -> None:
        """Close the connections that are kept."""
        with self._lock:
            self._closed, idle = True, self._idle
            self._idle = []
        for connection, _ in idle:
            connection.close()


def is_readable(connection: Any) -> bool:
    """Return whether there is something to read: of an idle connection, its end."""
    if isinstance(connection, ssl.SSLSocket) and connection.pending():
        return True
    if not hasattr(select, "poll"):
        return bool(select.select([connection], [], [], 0)[0])
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def _connected(address: Address, seconds: float | None) -> socket.socket:
    """Return a new connection, ready to be written to."""
    until = _until(seconds)
    try:
        return _secured(_opened(address, until), address, until)
    except TimeoutError:
        raise ConnectTimeout("no connection in time") from None
    except UnicodeError:
        raise _bad_address() from None
    except OSError as error:
        raise ConnectError(str(error)) from error


def _opened(address: Address, until: float | None) -> socket.socket:
    """Return a connection to the first address of the host that takes one; all of them share the time."""
    error = OSError("the host has no address")
    for family, kind, protocol, _, place in socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM):
        made = socket.socket(family, kind, protocol)
        try:
            made.settimeout(_left(until))
            made.connect(place)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as failed:
            made.close()
            error = failed
        except BaseException:
            made.close()
            raise
        else:
            return made
    raise error


def _secured(connection: socket.socket, address: Address, until: float | None) -> socket.socket:
    if address.tls is None:
        return connection
    try:
        connection.settimeout(_left(until))
        return address.tls.wrap_socket(connection, server_hostname=address.host)
    except BaseException:
        connection.close()
        raise


class Answer:
    """An answer that is read from a blocking connection: its head, then its bytes, then it is closed."""

    def __init__(self, pool: Transport, connection: socket.socket) -> None:
        self._pool, self._connection, self._reader = pool, connection, Reader()
        self._begun = b""  # the bytes of the body that came with the head
        self._timeout: float | None = -1.0

    def send(self, data: bytes, deadline: float | None) -> None:
        """Send a request, and read the head of the answer."""
        self._wait(deadline)
        with suppress(ConnectionError):  # a server that refuses may answer before it has read all: the answer counts
            self._connection.sendall(data)
        while self._reader.head is None:
            self._begun = self._reader.feed(self._received(deadline))

    @property
    def head(self) -> Head:
        """Status and headers."""
        assert self._reader.head is not None
        return self._reader.head

    def read(self, deadline: float | None) -> bytes:
        """Return the next bytes of the body, none at its end. Raises OSError, RemoteProtocolError."""
        data, self._begun = self._begun, b""
        while not data and not self._reader.over:
            data = self._reader.feed(self._received(deadline))
        return data

    def _received(self, deadline: float | None) -> bytes:
        self._wait(deadline)
        return self._connection.recv(READ)

    def _wait(self, deadline: float | None) -> None:
        """Let the next operation of the socket last until the deadline."""
        left = _left(deadline)
        if left != self._timeout:
            self._connection.settimeout(left)
            self._timeout = left

    def close(self) -> None:
        """Let the connection go: back to the pool where the answer was read to its end."""
        if self._reader.over and self._reader.keeps:
            self._pool.give_back(self._connection)
        else:
            self._connection.close()
