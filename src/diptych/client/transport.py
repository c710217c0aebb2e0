"""Connections of the blocking client's own: httpcore, the library under httpx, without the layers between.

Rule: what does not change from call to call (address, headers) is made once. Nothing is followed, stored or
decoded: no redirect, no cookie, no content encoding. Where the environment names a proxy, httpx is used
instead, which knows the rules for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.request import getproxies

from ..errors import ClientError
from .exchange import Head
from .options import POOL
from .requests import Outgoing, Server
from .wires import Backend, Stream

#: Seconds that an idle connection is kept, as httpx does.
_KEPT: Final = 5.0
#: Bytes of a request that wait for what follows.
_LARGEST: Final = 64 * 1024
#: Kinds of requests whose headers are kept: few, as a client has one key and few APIs.
_KNOWN: Final = 64


def is_direct(server: Server, *, trust_env: bool) -> bool:
    """Return whether a server is called without a proxy. One on this machine always is."""
    return server.is_local or not trust_env or not getproxies()


class _Joined(Stream):
    """A stream that sends the head of a request together with its body: half the calls of the system."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._held = b""

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._held += buffer
        if len(self._held) > _LARGEST:
            held, self._held = self._held, b""
            super().write(held, timeout)

    def read(self, max_bytes: int, timeout: float | None = None) -> Any:
        if self._held:
            held, self._held = self._held, b""
            try:
                super().write(held, timeout)
            except Exception as error:
                # A server that refuses may answer and close before it has read all: the answer counts.
                if type(error).__name__ != "WriteError":
                    raise
        return super().read(max_bytes, timeout)


class Transport:
    """A pool of connections to one server."""

    def __init__(self, server: Server, *, trust_env: bool) -> None:
        import httpcore

        context = None
        if server.origin.startswith("https"):
            import httpx

            context = httpx.create_ssl_context(trust_env=trust_env)
        self._core: Any = httpcore
        self._known: dict[Any, tuple[Any, list[tuple[bytes, bytes]]]] = {}
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=None,
            max_keepalive_connections=POOL,
            keepalive_expiry=_KEPT,
            network_backend=Backend(httpcore.SyncBackend(), _Joined),  # type: ignore[arg-type]  # it has all that is used
        )

    def send(self, out: Outgoing, *, connect: float | None, left: float | None) -> Answer:
        """Send a request and return its answer, whose body is still to come. Raises what httpcore raises."""
        kind = (out.url, *out.headers.items())
        prepared = self._known.get(kind) or self._prepared(kind, out)
        timeout = {"connect": connect, "read": left, "write": left, "pool": connect}
        request = self._core.Request(
            "POST",
            prepared[0],
            headers=[*prepared[1], (b"Content-Length", b"%d" % len(out.content))],
            content=out.content,
            extensions={"timeout": timeout},
        )
        return Answer(self._pool.handle_request(request))

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    def _prepared(self, kind: Any, out: Outgoing) -> tuple[Any, list[tuple[bytes, bytes]]]:
        """Return the address and the headers of a kind of request. Raises ClientError for an address that is none."""
        import httpx

        try:
            url = httpx.URL(out.url)
        except (httpx.InvalidURL, UnicodeError):
            raise ClientError("base_url is not a valid address", hint="for example https://api.openai.com/v1") from None
        headers = [(b"Host", url.netloc), (b"User-Agent", b"diptych"), (b"Connection", b"keep-alive")]
        headers += [(name.encode("ascii"), value.encode("latin-1")) for name, value in out.headers.items()]
        target = self._core.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        if len(self._known) >= _KNOWN:
            self._known.clear()
        self._known[kind] = target, headers
        return target, headers


class Answer:
    """An answer of httpcore: its head, then its bytes, then it is closed."""

    def __init__(self, response: Any) -> None:
        self._response = response

    @property
    def head(self) -> Head:
        """Status and headers; of a header sent twice the last value."""
        headers = {n.decode("latin-1").lower(): v.decode("latin-1") for n, v in self._response.headers}
        return Head(self._response.status, headers)

    def iter_raw(self) -> Iterator[bytes]:
        """Return the bytes of the body as they come."""
        return iter(self._response.stream)

    def close(self) -> None:
        """Let the connection go: back to the pool where the body was read to its end."""
        self._response.close()
