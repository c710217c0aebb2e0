"""The client, for asyncio.

Rule: drives the flow and decides nothing. With an injected HTTP library every read or write is
a task of its own, which a deadline or a cancellation ends exactly once: however often
the caller is cancelled, the library closes its connection undisturbed. One pool of
connections an event loop.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterable, Mapping
from types import TracebackType
from typing import Any, Final, TypeVar, cast, overload

from ..errors import ClientError, DiptychError, InvalidResponse
from ..request import Api
from ._base import ClientBase
from ._sync import make_http
from .answer import Tap
from .async_transport import AsyncAnswer, AsyncTransport
from .calls import StreamState, check_reask, forked, new_call, parsed, reasked, schema_params, summed, unsent
from .counting import Counting
from .crew import check_concurrency
from .exchange import Command, Emit, Failed, Head, Open, Sleep
from .flow import Call
from .progress import Progress
from .replies import Delta, Parsed, Reply
from .requests import Ask, Server
from .seen import Fetched, Inquiry, Seen
from .transport import is_direct
from .wires import Addresses, AsyncHttpClient, already_read, check_http, failed_of, head_of

#: Seconds that a cancelled operation is given to close its connection before the caller goes on.
_CLEAN_UP: Final = 1.0
#: Operations that still close their connection after their caller has gone.
_LEAVING: Final[set[asyncio.Task[Any]]] = set()

T = TypeVar("T")


class AsyncClient(ClientBase["_Pool", AsyncHttpClient]):
    """The asynchronous twin of :class:`Client`: the same arguments, methods awaited.

    It runs on asyncio; under trio its construction, or its first call, raises ClientError.

    >>> import asyncio
    >>> from diptych.testing import Server
    >>> async def ask(url):
    ...     async with AsyncClient(url) as client:
    ...         return (await client.send("Hello", model="test")).text
    >>> with Server() as server:
    ...     asyncio.run(ask(server.base_url))
    'Hello'
    """

    def _new_pool(self, http: AsyncHttpClient | None, trust_env: bool) -> _Pool:
        check_http(http, AsyncHttpClient)
        refuse_trio()
        return _Pool(http, trust_env, self._setup.server)


    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections of this event loop; an injected HTTP client stays open."""
        await self._pool.close()

    aclose = close

    async def send(self, x: Any, *, model: str | None = None, api: Api | None = None, **params: Any) -> Reply:
        """Send and return the reply; see :meth:`Client.send`."""
        return await self._whole(new_call(self._setup, x, model=model, api=api, params=params))

    async def _whole(self, call: Call) -> Reply:
        stream = AsyncStream(call, self._pool)
        async with stream:
            async for _ in stream:
                pass
        return stream.reply

    def stream(self, x: Any, *, model: str | None = None, api: Api | None = None, **params: Any) -> AsyncStream:
        """Send and return an :class:`AsyncStream`: an asynchronous context manager of deltas."""
        return AsyncStream(new_call(self._setup, x, model=model, api=api, params=params, stream=True), self._pool)

    def begin(self, ask: Ask, *, tap: Tap | None = None) -> AsyncStream:
        """Return the stream of a call whose body is made already; nothing is sent before it is iterated.

        ``tap`` is called with every chunk of the server and the events that it makes.
        """
        return AsyncStream(Call(ask, self._setup, tap), self._pool)

    async def seen(self, body: Mapping[str, Any]) -> Seen:
        """Return what the server makes of a body, without a reply; see :meth:`Client.seen`."""
        return cast("Seen", await self._inquired(Inquiry(self._setup, body)))

    async def count_tokens(self, body: Mapping[str, Any]) -> int:
        """Return the tokens of a body as the server counts them; see :meth:`Client.count_tokens`."""
        return cast("int", await self._inquired(Counting(self._setup, body)))

    async def fetch(self, path: str, *, body: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON that the server has at a path: read, or posted where there is a ``body``.

        Raises ClientError.
        """
        return await self._inquired(Fetched(self._setup, path, body, api=self._setup.api or "chat"))

    async def _inquired(self, inquiry: Inquiry) -> Any:
        wire, steps, result = _Wire(self._pool), inquiry.run(), None
        try:
            while True:
                result = await wire.do(steps.send(result))
        except StopIteration as stop:
            return stop.value
        finally:
            steps.close()
            await wire.close()

    @overload
    async def parse(
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
    async def parse(
        self,
        x: Any,
        schema: Any,
        *,
        model: str | None = None,
        api: Api | None = None,
        reask: int = 0,
        **params: Any,
    ) -> Parsed[Any]: ...

    async def parse(
        self,
        x: Any,
        schema: Any,
        *,
        model: str | None = None,
        api: Api | None = None,
        reask: int = 0,
        **params: Any,
    ) -> Parsed[Any]:
        """Send, asking for JSON of ``schema``; see :meth:`Client.parse`."""
        check_reask(reask)
        before: list[Reply] = []
        found = await self._validated(x, model, api, schema_params(schema, api or self._setup.api, params))
        while True:
            try:
                return parsed(summed(found, before), schema)
            except InvalidResponse as error:
                if len(before) >= reask or found.api != "chat":
                    raise
                before.append(found)
                found = await self._validated(reasked(found, error), None, None, {})

    async def _validated(self, x: Any, model: str | None, api: Api | None, params: dict[str, Any]) -> Reply:
        return await self._whole(new_call(self._setup, x, model=model, api=api, params=params, validates=True))

    async def send_many(
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

        A task that is cancelled closes what is under way; its CancelledError has the list so far as ``results``.
        """
        check_concurrency(concurrency)
        items = list(items)
        found = unsent(len(items))
        rest = iter(enumerate(items))

        async def worker() -> None:
            for index, item in rest:
                try:
                    found[index] = await self.send(item, model=model, api=api, **params)
                except DiptychError as error:
                    found[index] = error
                line.step()

        with Progress(len(items), shown=progress) as line:
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(max(1, min(concurrency, len(items)))):
                        group.create_task(worker())
            except BaseException as error:
                error.results = found  # type: ignore[attr-defined]  # what was paid for is kept
                raise
        return found


def refuse_trio() -> None:
    """Raise ClientError inside of a run of trio, whose tasks and deadlines are others than asyncio's."""
    trio = sys.modules.get("trio")
    if trio is None:
        return
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return
    raise ClientError(
        "AsyncClient runs on asyncio, not on trio",
        hint="call Client in trio.to_thread.run_sync, or run the calls with asyncio",
    )


class AsyncStream(StreamState):
    """The deltas of a streamed reply; ``reply`` when complete, ``partial`` before."""

    def __init__(self, call: Call, pool: _Pool) -> None:
        super().__init__(call)
        self._steps = self._drive(call, _Wire(pool))

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close()

    def __aiter__(self) -> AsyncIterator[Delta]:
        return self

    async def __anext__(self) -> Delta:
        while not self._waiting:
            self._check_process()
            self._waiting = (await anext(self._steps))[::-1]
        return self._waiting.pop()

    def batches(self) -> AsyncIterator[list[Delta]]:
        """Return what arrives, all deltas of one read together."""
        return self._steps

    async def close(self) -> None:
        """Close the connection, wherever the stream is."""
        await self._steps.aclose()

    async def _drive(self, call: Call, wire: _Wire) -> AsyncGenerator[list[Delta], None]:
        """Do what the flow says; yield the deltas, keep the reply."""
        refuse_trio()
        flow = call.run()
        results: list[Any] = [None]  # handed over, so that no traceback of locals shows what a server sent
        try:
            while True:
                try:
                    command = flow.send(results.pop())
                except StopIteration as stop:
                    self._reply = stop.value
                    return
                if isinstance(command, Emit):
                    yield command.deltas
                    results.append(None)
                else:
                    results.append(await wire.do(command))
        finally:
            # The flow settles the budget first: nothing awaited may keep it from that.
            flow.close()
            await wire.close()


class _Wire:
    """The I/O of one call: at most one answer is open at a time."""

    def __init__(self, pool: _Pool) -> None:
        self._pool, self._pid = pool, os.getpid()
        self._answer: AsyncAnswer | _Foreign | None = None

    async def do(self, command: Command) -> Any:
        if isinstance(command, Sleep):
            await asyncio.sleep(command.seconds)
            return None
        try:
            return await (self._open(command) if isinstance(command, Open) else self._read(command))
        except Exception as error:
            failed = failed_of(error)
            await self.close()
            if failed is None:
                raise
            return failed

    async def _open(self, command: Open) -> Head | Failed:
        await self.close()
        http = self._pool.get()
        if not isinstance(http, AsyncTransport):
            under_way = asyncio.Event()
            found: Head | Failed = await _bounded(self._sent(http, command, under_way), command.deadline, under_way)
            return found
        left = None if command.deadline is None else command.deadline - time.monotonic()
        if left is not None and left <= 0:
            return Failed("timeout")
        connect = command.connect if left is None else min(left, command.connect or left)
        self._answer = await http.send(command.outgoing, connect=connect, deadline=command.deadline)
        return self._answer.head

    async def _sent(self, http: Any, command: Open, under_way: asyncio.Event) -> Head:
        async def trace(name: str, _: Any) -> None:
            if name.endswith("send_request_headers.started"):
                under_way.set()

        timeout = (command.connect, None, None, command.connect)
        request = self._pool.addresses.request(http, command.outgoing, timeout=timeout, extensions={"trace": trace})
        self._answer = _Foreign(await http.send(request, stream=True, follow_redirects=False))
        return self._answer.head

    async def _read(self, command: Any) -> bytes | Failed:
        if self._answer is None:
            return b""
        deadline = command.deadline
        if deadline is not None and deadline <= time.monotonic():
            return Failed("timeout", sent=True)
        return await self._answer.read(deadline)

    async def close(self) -> None:
        answer, self._answer = self._answer, None
        if answer is None or self._pid != os.getpid():
            return
        if isinstance(answer, AsyncAnswer):
            answer.close()
        else:
            await _finished(answer.close())


class _Foreign:
    """An answer of an injected HTTP library, each of whose operations is a task of its own."""

    def __init__(self, response: Any) -> None:
        self._response, self._whole = response, already_read(response)
        self._bytes = None if self._whole else response.aiter_raw()
        self.head = head_of(response)

    async def read(self, deadline: float | None) -> bytes | Failed:
        found: bytes | Failed = await _bounded(self._next(), deadline)
        return found

    async def _next(self) -> bytes:
        if self._bytes is None:
            return self._whole.pop() if self._whole else b""
        async for data in self._bytes:
            if data:
                return bytes(data)
        return b""

    async def close(self) -> None:
        await self._response.aclose()


async def _bounded(
    step: Coroutine[Any, Any, Any], deadline: float | None, under_way: asyncio.Event | None = None
) -> Any:
    """Run one operation in a task of its own until a moment of the monotonic clock.

    ``under_way`` is set once the operation can be cancelled safely. Returns its result, or
    :class:`Failed` where the moment passed.
    """
    task = asyncio.ensure_future(step)
    left = None if deadline is None else max(0.0, deadline - time.monotonic())
    try:
        await asyncio.wait({task}, timeout=left)
    finally:
        if not task.done():
            _keep(task)
            _keep(asyncio.ensure_future(_cancel(task, under_way)))
            if under_way is None or under_way.is_set():
                await asyncio.wait({task}, timeout=_CLEAN_UP)
    return Failed("timeout", sent=True) if not task.done() or task.cancelled() else task.result()


async def _finished(step: Coroutine[Any, Any, Any]) -> None:
    """Run a closing operation to its end, whatever happens to the caller meanwhile."""
    task = asyncio.ensure_future(step)
    _keep(task)
    await asyncio.wait({task}, timeout=_CLEAN_UP)


async def _cancel(task: asyncio.Task[Any], under_way: asyncio.Event | None) -> None:
    """Cancel an operation, but not between connecting and sending.

    There the HTTP library forgets a connection that it has just opened (httpcore 1.0);
    the connect limit bounds the wait.
    """
    if under_way is not None and not under_way.is_set():
        waiting = asyncio.ensure_future(under_way.wait())
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
    task.cancel()


def _keep(task: asyncio.Task[Any]) -> None:
    """Hold a task until it is done: the event loop alone would forget it."""
    _LEAVING.add(task)
    task.add_done_callback(_left)


def _left(task: asyncio.Task[Any]) -> None:
    _LEAVING.discard(task)
    if not task.cancelled():
        task.exception()  # seen here, so that asyncio does not report it as lost


class _Pool:
    """The HTTP clients of this process, one an event loop: connections do not change loops."""

    def __init__(self, http: Any, trust_env: bool, server: Server) -> None:
        self.addresses, self._server = Addresses(), server
        self._injected, self._trust_env, self._pid, self._closed = http, trust_env, os.getpid(), False
        self._made: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = weakref.WeakKeyDictionary()

    def get(self) -> Any:
        if self._pid != os.getpid():
            if self._injected is not None:
                raise forked()
            self._made, self._pid = weakref.WeakKeyDictionary(), os.getpid()
        if self._closed:
            raise ClientError("the client is closed", hint="open a new one")
        if self._injected is not None:
            return self._injected
        loop = asyncio.get_running_loop()
        if loop not in self._made:
            self._made[loop] = self._new()
        return self._made[loop]

    def _new(self) -> Any:
        if is_direct(self._server, trust_env=self._trust_env):
            return AsyncTransport(self._server, trust_env=self._trust_env)
        return make_http("AsyncClient", self._server, self._trust_env)

    async def close(self) -> None:
        self._closed = True
        http = self._made.pop(asyncio.get_running_loop(), None)
        if http is not None and self._pid == os.getpid():
            await http.aclose()
