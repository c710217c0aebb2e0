"""What both HTTP loops share: exceptions of an HTTP library as values, and deadlines.

Rule: libraries are told apart by the names of their exceptions, so that httpx and
httpx2, which share them, are the same here. No exception of theirs leaves a loop:
they carry the request, and with it the key.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol, runtime_checkable

from ..errors import ClientError
from .exchange import Failed, Head, headers_of
from .requests import Outgoing


@runtime_checkable
class HttpClient(Protocol):
    """What ``Client(http=…)`` takes: a client of httpx, httpx2, or one of their shape."""

    def build_request(self, *args: Any, **kwargs: Any) -> Any: ...

    def send(self, *args: Any, **kwargs: Any) -> Any: ...

    def close(self) -> None: ...


@runtime_checkable
class AsyncHttpClient(Protocol):
    """What ``AsyncClient(http=…)`` takes."""

    def build_request(self, *args: Any, **kwargs: Any) -> Any: ...

    async def send(self, *args: Any, **kwargs: Any) -> Any: ...

    async def aclose(self) -> None: ...


def check_http(http: object, kind: type) -> None:
    """Raise TypeError for an HTTP client of the other kind, or for none at all."""
    if http is not None and not isinstance(http, kind):
        wanted = "httpx.Client" if kind is HttpClient else "httpx.AsyncClient"
        raise TypeError(f"http= takes an {wanted} or its like, not {type(http).__name__}")


#: Names of exceptions, the most special first: what happened, and whether the request had gone out.
_KINDS: Final = (
    ("PoolTimeout", "connect_timeout", False),
    ("ConnectTimeout", "connect_timeout", False),
    ("TimeoutException", "timeout", True),
    ("ProxyError", "proxy", False),
    ("ConnectError", "connect", False),
    ("InvalidURL", "redirect", False),
    ("IDNAError", "redirect", False),
    ("LocalProtocolError", "protocol", False),
    ("UnsupportedProtocol", "protocol", False),
    ("RemoteProtocolError", "broken", True),
    ("NetworkError", "broken", True),
    ("DecodingError", "protocol", True),
    ("StreamError", "broken", True),
    ("HTTPError", "broken", True),
    ("TransportError", "broken", True),
)
#: Characters of an exception's text that are looked at; an error quotes fewer, and no key.
_DETAIL: Final = 10_000
#: The shortest wait that a socket is given: 0 would mean "do not wait at all".
_LEAST: Final = 0.001


def failed_of(error: BaseException) -> Failed | None:
    """Return what an exception of an HTTP library amounts to, None for any other."""
    names = {cls.__name__ for cls in type(error).__mro__}
    for name, kind, sent in _KINDS:
        if name in names:
            if name == "RemoteProtocolError" and "location header" in str(error):
                return Failed("redirect")
            kind = "tls" if kind == "connect" and _is_tls(error) else kind
            # The texts of protocol errors quote headers, keys among them.
            return Failed(kind, "" if kind == "protocol" else str(error)[:_DETAIL], sent)
    if isinstance(error, RuntimeError) and "closed" in str(error):
        return Failed("closed")
    if isinstance(error, UnicodeError):
        return Failed("connect", "the name of the host cannot be looked up")
    if isinstance(error, TimeoutError):
        return Failed("timeout", sent=True)
    return Failed("broken", str(error)[:_DETAIL], True) if isinstance(error, OSError) else None


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if "SSL" in type(error).__name__ or "certificate verify failed" in str(error).lower():
            return True
        error = error.__cause__ or error.__context__
    return False


def head_of(response: Any) -> Head:
    """Return status and headers of an answer."""
    raw: Iterable[tuple[bytes, bytes]] = response.headers.raw
    return Head(response.status_code, headers_of((n.decode("latin-1"), v.decode("latin-1")) for n, v in raw))


def already_read(response: Any) -> list[bytes]:
    """Return the body of an answer that was read before it came here, as one block; else nothing.

    So it is with the answers of ``httpx.MockTransport``, and with hooks that read them.
    """
    return [response.content] if getattr(response, "is_stream_consumed", False) else []


class Addresses:
    """Addresses as an HTTP library has parsed them: parsing one anew costs a tenth of a call."""

    def __init__(self) -> None:
        self._parsed: dict[str, Any] = {}

    def request(self, http: Any, out: Outgoing, **options: Any) -> Any:
        """Return the request of an HTTP library. Raises ClientError for an address that it cannot read."""
        url = self._parsed.get(out.url, out.url)
        try:
            request = http.build_request(out.method, url, headers=out.headers, content=out.content, **options)
        except Exception as error:
            if type(error).__name__ != "InvalidURL":
                raise
            raise ClientError("base_url is not a valid address", hint="for example https://api.openai.com/v1") from None
        self._parsed.setdefault(out.url, request.url)
        return request


class _Now(threading.local):
    """The deadline of the call that this thread is making, on the monotonic clock."""

    deadline: float | None = None


NOW: Final = _Now()


@contextmanager
def within(deadline: float | None) -> Iterator[None]:
    """Let this thread's operations of an HTTP library end by a moment of the monotonic clock."""
    NOW.deadline = deadline
    try:
        yield
    finally:
        NOW.deadline = None


def remaining(timeout: float | None) -> float | None:
    """Return the seconds that one socket operation may take, in view of the thread's deadline."""
    if NOW.deadline is None:
        return timeout
    left = max(NOW.deadline - time.monotonic(), _LEAST)
    return left if timeout is None else min(left, timeout)


class Stream:
    """A network stream of httpcore whose every operation ends by the thread's deadline.

    A read timeout alone does not bound a call: a server that sends a byte now and then
    starts it anew each time.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> Any:
        return self._stream.read(max_bytes, remaining(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, remaining(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> Stream:
        return Stream(self._stream.start_tls(ssl_context, server_hostname, remaining(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class Backend:
    """A network backend of httpcore that gives such streams."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> Stream:
        return Stream(self._backend.connect_tcp(host, port, remaining(timeout), local_address, socket_options))

    def connect_unix_socket(self, path: str, timeout: float | None = None, socket_options: Any = None) -> Stream:
        return Stream(self._backend.connect_unix_socket(path, remaining(timeout), socket_options))

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


def bound_by_deadline(http: Any) -> None:
    """Give a client's connections the thread's deadline.

    httpx offers no public way; where its parts are named otherwise (a transport of the
    caller's own), the limits of single reads hold, and the deadline is seen after each.
    """
    transports = [getattr(http, "_transport", None), *(getattr(http, "_mounts", None) or {}).values()]
    for transport in transports:
        pool = getattr(transport, "_pool", None)
        backend = getattr(pool, "_network_backend", None)
        if backend is not None and not isinstance(backend, Backend):
            pool._network_backend = Backend(backend)  # type: ignore[union-attr]
