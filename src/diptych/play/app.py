"""The ASGI application: paths, and what answers them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.resources import files as resources
from pathlib import Path
from typing import Any, Final

from ..errors import DiptychError, MissingExtra
from . import files, work
from .door import HEADERS, refusal

#: No request of the page is larger, in bytes.
MOST: Final = 4_000_000
_TYPES: Final = {"index.html": "text/html", "play.js": "text/javascript", "style.css": "text/css"}


@dataclass(frozen=True, slots=True)
class Play:
    """What a page works on: the folder, its token, and the client that sends, None where nothing may be sent.

    ``model`` is the model that is asked; ``told`` says in a few words where a request would go.
    """

    folder: Path
    token: str
    client: Any = None
    model: str | None = None
    told: str = "nothing is sent: start it with --local, or with --send and an address"


def make_app(play: Play) -> Any:
    """Return the ASGI application. Raises MissingExtra without starlette."""
    try:
        from starlette.applications import Starlette
        from starlette.routing import Route
    except ImportError:
        raise MissingExtra("the page needs starlette and uvicorn", extra="serve") from None

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        yield
        if play.client is not None:
            await play.client.close()

    routes = [Route("/", partial(_page, play, "index.html"))]
    routes += [Route(f"/{name}", partial(_page, play, name)) for name in _TYPES if name != "index.html"]
    for path, method, answer in _ANSWERS:
        routes.append(Route(f"/api/{path}", partial(_answered, play, answer, method != "GET"), methods=[method]))
    return Starlette(routes=routes, lifespan=lifespan)


async def _page(play: Play, name: str, request: Any) -> Any:
    from starlette.responses import Response

    # Scripts and styles hold nothing: the page that loads them had to show the token.
    given = request.query_params.get("token") if name == "index.html" else play.token
    if why := refusal(request.headers, play.token, given, changes=False):
        return Response(why, 403, HEADERS, "text/plain")
    data = (resources(__package__) / "page" / name).read_bytes()
    return Response(data, 200, HEADERS, f"{_TYPES[name]}; charset=utf-8")


async def _answered(play: Play, answer: _Answer, changes: bool, request: Any) -> Any:
    from starlette.responses import JSONResponse

    given = request.headers.get("x-diptych-token")
    if why := refusal(request.headers, play.token, given, changes=changes):
        return JSONResponse({"error": {"message": why}}, 403, HEADERS)
    try:
        body = json.loads(await _read(request)) if changes else dict(request.query_params)
        found = await answer(play, body)
    except (ValueError, RecursionError) as error:
        return JSONResponse({"error": {"message": f"not understood: {error}"}}, 400, HEADERS)
    except DiptychError as error:
        return JSONResponse({"error": {"message": str(error)}}, 400, HEADERS)
    return found if hasattr(found, "status_code") else JSONResponse(found, 200, HEADERS)


async def _read(request: Any) -> bytes:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MOST:
            raise ValueError(f"a request has at most {MOST:,} bytes")
    return bytes(data)


_Answer = Callable[[Play, Any], Awaitable[Any]]


async def _start(play: Play, _: Any) -> Any:
    names = await _elsewhere(files.names, play.folder)
    told = {"told": play.told, "can_send": play.client is not None, "is_isolated": work.IS_ISOLATED}
    return {"folder": play.folder.name, "templates": names, **told}


async def _open(play: Play, asked: Any) -> Any:
    return await _elsewhere(files.opened, play.folder, asked.get("name", ""))


async def _save(play: Play, asked: Any) -> Any:
    draft, mark = work.Draft.of(asked), asked.get("mark")
    if mark is not None and not isinstance(mark, str):
        raise ValueError("mark is a text, or null for a new file")
    return {"mark": await _elsewhere(files.saved, play.folder, draft.name, draft.source, mark)}


async def _show(play: Play, asked: Any) -> Any:
    return await _elsewhere(work.shown, play.folder, work.Draft.of(asked))


async def _check(play: Play, asked: Any) -> Any:
    return {"findings": await _elsewhere(work.findings, play.folder, work.Draft.of(asked))}


async def _send(play: Play, asked: Any) -> Any:
    """Stream an answer as JSON lines: the texts, then what it cost; an error is the last line."""
    from starlette.responses import StreamingResponse

    if play.client is None:
        raise DiptychError(play.told)
    draft = work.Draft.of(asked)
    rendered = await _elsewhere(work.rendered, play.folder, draft)

    async def lines() -> AsyncIterator[bytes]:
        try:
            async with play.client.stream(rendered, model=play.model or rendered.model) as deltas:
                async for delta in deltas:
                    if delta.text:
                        yield _line({"text": delta.text})
            reply = deltas.reply
            tokens = reply.usage.total_tokens if reply.usage else None
            cost = None if reply.cost is None else str(reply.cost)
            yield _line({"done": True, "tokens": tokens, "cost": cost, "model": reply.model})
        except DiptychError as error:
            yield _line({"error": str(error)})

    return StreamingResponse(lines(), 200, HEADERS, "application/jsonl")


def _line(value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


async def _elsewhere(function: Callable[..., Any], *arguments: Any) -> Any:
    """Run what blocks in a thread, so that the page goes on answering."""
    from starlette.concurrency import run_in_threadpool

    return await run_in_threadpool(function, *arguments)


_ANSWERS: Final[tuple[tuple[str, str, _Answer], ...]] = (
    ("start", "GET", _start),
    ("template", "GET", _open),
    ("template", "PUT", _save),
    ("show", "POST", _show),
    ("check", "POST", _check),
    ("send", "POST", _send),
)
