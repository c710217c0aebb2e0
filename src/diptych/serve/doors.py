"""The doors: what happens between a request on the wire and its answer, the same for every path.

Rule: read with a cap, know the key, hold a place, answer in the shape of the API, write one line to the log.
A client that leaves ends its call at the upstream.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final

from .bridge import Bridge, Tally, first_of
from .faces import FACES, Face, encode
from .refusals import Refusal, RefusedError, refusal_of, refuse

logger = logging.getLogger("diptych.serve")
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
#: What a path does: body in, answer out.
Work = Callable[["Visit", Any], Awaitable[Any]]

_SERIAL: Final = itertools.count(1)
_PROCESS: Final = secrets.token_hex(4)
_STREAM: Final = ((b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache"))
_JSON: Final = ((b"content-type", b"application/json"),)


class LeftError(Exception):
    """The client has closed its connection."""


@dataclass(slots=True)
class Visit:
    """One request: its id, its headers, what the log will say of it."""

    bridge: Bridge
    face: Face
    path: str
    headers: Mapping[str, str]
    send: Send
    id: str = ""
    key: str | None = None
    status: int = 0
    tally: Tally = field(default_factory=Tally)
    more: dict[str, str] = field(default_factory=dict)

    async def answer(self, status: int, value: Any, headers: Mapping[str, str] | None = None) -> None:
        """Send a whole answer."""
        data = encode(value)
        await self._start(status, _JSON, {**(headers or {}), **self.more, "content-length": str(len(data))})
        await self.send({"type": "http.response.body", "body": data})

    async def refuse(self, refusal: Refusal) -> None:
        """Send an error in the shape of the API."""
        shape = self.face.error(refusal)
        if self.face.api == "anthropic":
            shape["request_id"] = self.id
        await self.answer(refusal.status, shape, refusal.all_headers())

    async def begin_stream(self) -> None:
        """Send the head of a stream."""
        await self._start(200, _STREAM, self.more | _said(self.tally))

    def broken(self, refusal: Refusal) -> bytes:
        """Return what ends a stream that broke: what had arrived, and the error."""
        assert self.tally.fan is not None
        chunks = self.tally.fan.flows[0].fail(self.face.error(refusal)["error"])
        return b"".join(self.face.frame(chunk) for chunk in chunks)

    async def piece(self, data: bytes, *, more: bool = True) -> None:
        """Send a piece of a stream."""
        await self.send({"type": "http.response.body", "body": data, "more_body": more})

    async def _start(self, status: int, kind: Any, headers: Mapping[str, str]) -> None:
        self.status = status
        own = [(b"x-request-id", self.id.encode()), *((k.encode(), v.encode("latin-1")) for k, v in headers.items())]
        await self.send({"type": "http.response.start", "status": status, "headers": [*kind, *own]})


def _said(tally: Tally) -> dict[str, str]:
    """Return the headers that say what was lost, and what the upstream says in no field of the API."""
    found = {"x-diptych-losses": tally.signal.header()} if tally.signal.losses else {}
    return found | ({"x-diptych-fingerprint": tally.fingerprint} if tally.fingerprint else {})


class Door:
    """An ASGI application for one path: ``work`` answers, the door does the rest."""

    def __init__(self, bridge: Bridge, face: Face, work: Work, *, gated: bool = True) -> None:
        self._bridge, self._face, self._work, self._gated = bridge, face, work, gated

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        # What is only read stands under one path for all: a header says who asks.
        face = FACES["anthropic"] if "anthropic-version" in headers and not self._gated else self._face
        visit = Visit(self._bridge, face, scope["path"], headers, send, f"req_{_PROCESS}{next(_SERIAL):08x}")
        began = time.perf_counter()
        outcome = "ok"
        try:
            outcome = await self._served(visit, scope, receive)
        except LeftError:
            outcome = "client left"
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        finally:
            _log(visit, scope["method"], outcome, time.perf_counter() - began)

    async def _served(self, visit: Visit, scope: Mapping[str, Any], receive: Receive) -> str:
        try:
            if self._bridge.keys and not (found := self._bridge.keys.name_of(visit.headers)):
                raise refuse(401, "missing or unknown API key of the bridge", code="invalid_api_key", again=False)
            visit.key = found if self._bridge.keys else None
            if not self._gated:
                await self._work(visit, None)
                return "ok"
            body = await read_body(receive, visit.headers, self._bridge.settings.max_body)
            if isinstance(body, dict) and (named := scope.get("path_params", {}).get("model")):
                body["model"] = named
            async with self._bridge.gate.enter():
                # A process that is killed leaves this line without its end: the call is not lost unseen.
                _log(visit, scope["method"], "begun", None)
                await unless_left(receive, self._work(visit, body))
        except BaseException as error:
            cause = first_of(error)
            if not isinstance(cause, Exception) or isinstance(cause, LeftError):
                raise
            return await self._failed(visit, cause)
        return "ok"

    async def _failed(self, visit: Visit, error: Exception) -> str:
        refusal = refusal_of(error)
        if refusal.code == "internal_error":
            # The type alone: the text of an unexpected error may quote what was sent.
            logger.error("%s failed: %s", visit.id, type(error).__name__, exc_info=logger.isEnabledFor(logging.DEBUG))
        if visit.status == 0 and visit.tally.has_begun:
            await visit.begin_stream()  # what had arrived is the client's: it was paid for
        if visit.status == 0:
            await visit.refuse(refusal)
        elif visit.status == 200:
            await visit.piece(visit.broken(refusal), more=False)
        return f"error {refusal.status} {refusal.code or refusal.failure().kind}"


async def read_body(receive: Receive, headers: Mapping[str, str], cap: int) -> Any:
    """Return the JSON of a request. Raises RefusedError for one that is too large, or not JSON."""
    if headers.get("content-length", "0").isdecimal() and int(headers.get("content-length", "0")) > cap:
        raise _too_large(cap)
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise LeftError
        piece = message.get("body", b"")
        size += len(piece)
        if size > cap:
            raise _too_large(cap)
        pieces.append(piece)
        if not message.get("more_body"):
            break
    try:
        return json.loads(b"".join(pieces))
    except (ValueError, RecursionError):
        raise refuse(400, "the body is not JSON", code="invalid_json", again=False) from None


def _too_large(cap: int) -> RefusedError:
    return refuse(413, f"the body is larger than {cap} bytes", code="request_too_large", again=False)


async def unless_left(receive: Receive, work: Coroutine[Any, Any, Any] | Awaitable[Any]) -> None:
    """Do the work; where the client leaves first, cancel it. Raises LeftError then."""
    task = asyncio.ensure_future(work)
    left = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({task, left}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
            return
        raise LeftError
    finally:
        left.cancel()
        if not task.done():
            task.cancel()
            await asyncio.wait({task})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _log(visit: Visit, method: str, outcome: str, seconds: float | None) -> None:
    if not logger.isEnabledFor(logging.INFO):
        return
    told: dict[str, Any] = {"id": visit.id, "method": method, "path": visit.path, "outcome": outcome}
    if visit.key is not None:
        told["key"] = visit.key
    if seconds is not None:
        told |= {"status": visit.status, "ms": round(seconds * 1000, 1), **visit.tally.to_json()}
    logger.info("%s", json.dumps(told))


async def answer_call(visit: Visit, body: Any) -> None:
    """Answer a call of a message API."""
    bridge, tally = visit.bridge, visit.tally
    plan = tally.plan = await bridge.plan(visit.face, body)
    tally.signal = plan.signal
    if not plan.streams:
        found = await bridge.whole(plan, tally)
        await visit.answer(200, found, _said(tally))
        return
    frame, begun = visit.face.frame, False
    # Closed in any case: where the client leaves, the call ends and its budget is settled at once.
    async with aclosing(bridge.chunks(plan, tally)) as arriving:
        async for chunks in arriving:
            if not begun:
                begun = True  # not before something has come: until then an error has its own status
                await visit.begin_stream()
            if chunks:
                await visit.piece(b"".join([frame(chunk) for chunk in chunks]))
    await visit.piece(visit.face.ends, more=False)
