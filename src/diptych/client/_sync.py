"""The client, blocking.

Rule: drives the flow with an HTTP library and decides nothing. One pool of
connections a process: after a fork a new one is made, so that no answer can reach
the wrong process.
"""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Generator, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, TypeVar, cast, overload

from ..errors import ClientError, DiptychError, InvalidResponse
from ..request import Api
from ._base import ClientBase
from .calls import StreamState, check_reask, forked, new_call, parsed, reasked, schema_params, summed, unsent
from .counting import Counting
from .crew import GRACE, Crew, check_concurrency
from .exchange import Command, Emit, Failed, Head, Open, Sleep
from .flow import Call
from .options import POOL
from .progress import Progress
from .replies import Delta, Parsed, Reply
from .requests import Server
from .seen import Inquiry, Seen
from .transport import Answer, Transport, is_direct
from .wires import Addresses, HttpClient, already_read, bound_by_deadline, check_http, failed_of, head_of, within

T = TypeVar("T")


class Client(ClientBase["_Pool", HttpClient]):
    """A client of the Chat and Completions APIs of one server; usable from many threads.

    ``base_url`` and ``api_key`` default to OPENAI_BASE_URL and OPENAI_API_KEY, and
    then to OpenAI; a loopback server needs no key. ``http`` is an httpx or httpx2
    client to use, which stays the caller's to close. ``timeout`` is seconds for the
    whole call, retries and stream included, or :class:`Timeouts`. ``retries`` is the
    number of further attempts, or :class:`Retries`. ``budget``, ``limits`` and
    ``cassette`` are shared with whoever holds them too. ``on_attempt`` is called with
    each :class:`Attempt`. ``profile`` names a kind of server (:mod:`.profiles`); without it a
    refused parameter is put another way, and the reply's notes say so. ``trust_env=False`` ignores
    proxies of the environment; a loopback server is always called without one.

    Raises ClientError for an address or a key that cannot be right.

    >>> from diptych.testing import Server
    >>> with Server() as server, Client(server.base_url, timeout=30, retries=2) as client:
    ...     reply = client.send([{"role": "user", "content": "Hello"}], model="test")
    >>> reply.text, reply.finish_reason
    ('Hello', 'stop')
    """

    def _new_pool(self, http: HttpClient | None, trust_env: bool) -> _Pool:
        check_http(http, HttpClient)
        return _Pool(http, trust_env, self._setup.server)


    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; an injected HTTP client stays open."""
        self._pool.close()

    def send(self, x: Any, *, model: str | None = None, api: Api | None = None, **params: Any) -> Reply:
        """Send a Rendered, a messages list, a string (Completions) or a body; return the reply.

        ``params`` are those of the API, and ``timeout`` and ``retries`` for this call.
        Raises the errors of the client, FormatError for a parameter that the API does
        not know, BudgetExceeded before anything is sent.
        """
        return _run(new_call(self._setup, x, model=model, api=api, params=params), self._pool)

    def stream(self, x: Any, *, model: str | None = None, api: Api | None = None, **params: Any) -> Stream:
        """Send the same and return a :class:`Stream`: a context manager, iterate it for deltas."""
        return Stream(new_call(self._setup, x, model=model, api=api, params=params, stream=True), self._pool)

    @overload
    def parse(
        self,
        x: Any,
        schema: type[T],
        *,
        model: str | None = None,
        api: Api | None = None,
        reask: int = 0,
        **params: Any,
    ) -> Parsed[T]: ...

    @overload
    def parse(
        self,
        x: Any,
        schema: Any,
        *,
        model: str | None = None,
        api: Api | None = None,
        reask: int = 0,
        **params: Any,
    ) -> Parsed[Any]: ...

    def parse(
        self,
        x: Any,
        schema: Any,
        *,
        model: str | None = None,
        api: Api | None = None,
        reask: int = 0,
        **params: Any,
    ) -> Parsed[Any]:
        """Send, asking for JSON of ``schema`` (a pydantic model or any type); the value is ``reply.parsed``.

        The answer is validated here, since not every server enforces a schema, and nothing is
        repaired. ``reask`` is how often a chat is asked again with what was wrong; the reply
        counts the usage and cost of all. Raises InvalidResponse, whose ``reply`` holds what came, and
        ValueError for a negative ``reask``.
        """
        check_reask(reask)
        before: list[Reply] = []
        found = self._validated(x, model, api, schema_params(schema, api or self._setup.api, params))
        while True:
            try:
                return parsed(summed(found, before), schema)
            except InvalidResponse as error:
                if len(before) >= reask or found.api != "chat":
                    raise
                before.append(found)
                found = self._validated(reasked(found, error), None, None, {})

    def _validated(self, x: Any, model: str | None, api: Api | None, params: dict[str, Any]) -> Reply:
        return _run(new_call(self._setup, x, model=model, api=api, params=params, validates=True), self._pool)

    def seen(self, body: Mapping[str, Any]) -> Seen:
        """Return the text and the token ids that the server makes of a Chat or Completions body, without a reply.

        llama.cpp's server and vLLM can say it; others answer 404. Raises ClientError.
        """
        return cast("Seen", _run(Inquiry(self._setup, body), self._pool))

    def count_tokens(self, body: Mapping[str, Any]) -> int:
        """Return the tokens of a request body as the server itself counts them; see ``count(x, via=client)``.

        OpenAI, Anthropic, Gemini, llama.cpp's server and vLLM have a counter. Raises ClientError.
        """
        return cast("int", _run(Counting(self._setup, body), self._pool))

    def send_many(
        self,
        items: Iterable[Any],
        *,
        concurrency: int = 8,
        progress: bool = False,
        model: str | None = None,
        api: Api | None = None,
        **params: Any,
    ) -> list[Reply | DiptychError]:
        """Send every item; return a reply or an error for each, in order.

        ``progress`` draws a line on standard error where that is a terminal. Ctrl-C, or any other exception
        that is not a call's, sends nothing more, waits for the answers under way (30 seconds at most), and is
        raised with the list so far as its ``results``: what was not sent is a ClientError there.
        """
        check_concurrency(concurrency)
        items = list(items)
        found = unsent(len(items))

        def one(item: tuple[int, Any]) -> Reply | DiptychError:
            try:
                found[item[0]] = self.send(item[1], model=model, api=api, **params)
            except DiptychError as error:
                found[item[0]] = error
            return found[item[0]]

        crew = Crew(enumerate(items), one, min(concurrency, len(items)))
        with Progress(len(items), shown=progress) as line:
            try:
                for _ in crew.run():
                    line.step()
            except BaseException as error:
                crew.stop(GRACE)
                error.results = found  # type: ignore[attr-defined]  # what was paid for is kept
                raise
        return found


class Stream(StreamState):
    """The deltas of a streamed reply; ``reply`` when complete, ``partial`` before.

    Leaving the ``with`` block closes the connection, and the server stops writing.
    """

    def __init__(self, call: Call, pool: _Pool) -> None:
        super().__init__(call)
        self._wire = _Wire(pool)
        self._steps = _drive(call, self._wire)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def __iter__(self) -> Iterator[Delta]:
        return self

    def __next__(self) -> Delta:
        while not self._waiting:
            self._check_process()
            try:
                self._waiting = next(self._steps)[::-1]
            except StopIteration as stop:
                if self._reply is None and stop.value is not None:
                    self._reply = stop.value
                raise StopIteration from None
        return self._waiting.pop()

    def close(self) -> None:
        """Close the connection, wherever the stream is."""
        self._closed = True
        self._steps.close()

    def __del__(self) -> None:
        if not getattr(self, "_closed", True) and self._reply is None and self._wire.is_open:
            warnings.warn("a stream was never closed: use it in a with block", ResourceWarning, stacklevel=2)
            self.close()


def _run(call: Call | Inquiry, pool: _Pool) -> Reply:
    steps = _drive(call, _Wire(pool))
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            reply: Reply = stop.value
            return reply


def _drive(call: Call | Inquiry, wire: _Wire) -> Generator[list[Delta], None, Reply]:
    """Do what the flow says; yield the deltas, return the reply."""
    flow = call.run()
    results: list[Any] = [None]  # handed over, so that no traceback of locals shows what a server sent
    try:
        while True:
            try:
                command = flow.send(results.pop())
            except StopIteration as stop:
                reply: Reply = stop.value
                return reply
            if isinstance(command, Emit):
                yield command.deltas
                results.append(None)
            else:
                results.append(wire.do(command))
    finally:
        wire.close()
        flow.close()


class _Wire:
    """The I/O of one call: at most one answer is open at a time."""

    def __init__(self, pool: _Pool) -> None:
        self._pool, self._pid = pool, os.getpid()
        self._answer: Answer | _Foreign | None = None

    @property
    def is_open(self) -> bool:
        return self._answer is not None

    def do(self, command: Command) -> Any:
        if isinstance(command, Sleep):
            time.sleep(command.seconds)
            return None
        try:
            return self._open(command) if isinstance(command, Open) else self._read(command)
        except Exception as error:
            failed = failed_of(error)
            self.close()
            if failed is None:
                raise
            return failed

    def _open(self, command: Open) -> Head | Failed:
        self.close()
        http = self._pool.get()
        left = None if command.deadline is None else command.deadline - time.monotonic()
        if left is not None and left <= 0:
            return Failed("timeout")
        connect = command.connect if left is None else min(left, command.connect or left)
        if isinstance(http, Transport):
            self._answer = http.send(command.outgoing, connect=connect, deadline=command.deadline)
        else:
            request = self._pool.addresses.request(http, command.outgoing, timeout=(connect, left, left, connect))
            with within(command.deadline):
                self._answer = _Foreign(http.send(request, stream=True, follow_redirects=False))
        return self._answer.head

    def _read(self, command: Any) -> bytes | Failed:
        deadline = command.deadline
        if deadline is not None and deadline <= time.monotonic():
            return Failed("timeout", sent=True)
        return b"" if self._answer is None else self._answer.read(deadline)

    def close(self) -> None:
        answer, self._answer = self._answer, None
        # In a forked process the connection is the other's: closing it here could end it there.
        if answer is not None and self._pid == os.getpid():
            answer.close()


class _Foreign:
    """An answer of an injected HTTP library."""

    def __init__(self, response: Any) -> None:
        self._response = response
        self._bytes: Iterator[bytes] = iter(whole) if (whole := already_read(response)) else response.iter_raw()
        self.head = head_of(response)

    def read(self, deadline: float | None) -> bytes:
        with within(deadline):
            for data in self._bytes:
                if data:
                    return bytes(data)
        return b""

    def close(self) -> None:
        self._response.close()


class _Pool:
    """The connections of this process: those of the injected client, or of a transport made when first needed."""

    def __init__(self, http: Any, trust_env: bool, server: Server) -> None:
        self.addresses = Addresses()
        self._http, self._injected, self._trust_env, self._server = http, http is not None, trust_env, server
        self._pid, self._lock, self._closed = os.getpid(), threading.Lock(), False
        if http is not None:
            bound_by_deadline(http)

    def get(self) -> Any:
        with self._lock:
            if self._pid != os.getpid():
                if self._injected:
                    raise forked()
                # The other process's connections are left alone: closing them here would end them there.
                self._http, self._pid = None, os.getpid()
            if self._closed:
                raise ClientError("the client is closed", hint="open a new one")
            if self._http is None:
                self._http = self._made()
            return self._http

    def _made(self) -> Any:
        if is_direct(self._server, trust_env=self._trust_env):
            return Transport(self._server, trust_env=self._trust_env)
        http = make_http("Client", self._server, self._trust_env)
        bound_by_deadline(http)
        return http

    def close(self) -> None:
        self._closed = True
        if self._http is not None and not self._injected and self._pid == os.getpid():
            self._http.close()


def make_http(kind: str, server: Server, trust_env: bool) -> Any:
    """Return a new HTTP client of httpx: ``kind`` is the name of its class.

    Calls to this machine use no proxy of the environment: it would see prompts and keys,
    and its localhost is another machine. Certificates of the environment count all the same.
    """
    from http.cookiejar import CookieJar, DefaultCookiePolicy

    import httpx

    options: dict[str, Any] = {"trust_env": trust_env}
    if server.is_local:
        options = {"trust_env": False, "verify": httpx.create_ssl_context(trust_env=trust_env)}
    # A cookie that a server or a proxy sets is not sent back: calls do not depend on the ones before.
    options["cookies"] = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=POOL)
    try:
        return getattr(httpx, kind)(timeout=None, limits=limits, follow_redirects=False, **options)
    except ImportError as error:
        raise ClientError(
            f"a proxy of the environment needs a package that is not there: {error}",
            hint="install httpx[socks], or pass trust_env=False",
        ) from None
