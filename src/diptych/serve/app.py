"""The ASGI application: which path is answered by what."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from ..errors import MissingExtra
from . import beside, render
from .bridge import Bridge
from .doors import Door, answer_call
from .faces import FACES

#: Where clients of 2023 name the model in the path: ``engine=`` of openai 0.28, and Azure's deployments.
BY_PATH: Final = ("/v1/engines/{model}", "/openai/deployments/{model}")


def make_app(bridge: Bridge) -> Any:
    """Return the ASGI application of a bridge. Raises MissingExtra without starlette."""
    try:
        from starlette.applications import Starlette
        from starlette.routing import Route
    except ImportError:
        raise MissingExtra("the bridge needs starlette and uvicorn", extra="serve") from None

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        yield
        await bridge.close()

    chat = FACES["chat"]
    routes = [Route(face.path, Door(bridge, face, answer_call), methods=["POST"]) for face in FACES.values()]
    for prefix in BY_PATH:
        for face in (FACES["completions"], chat):
            path = prefix + face.path.removeprefix("/v1")
            routes.append(Route(path, Door(bridge, face, answer_call), methods=["POST"]))
    for face in FACES.values():
        for name, shows in render.WORKS.items():
            routes.append(Route(f"{face.path}/{name}", Door(bridge, face, shows), methods=["POST"]))
    for path, of, work in beside.POSTS:
        routes.append(Route(path, Door(bridge, FACES[of], work), methods=["POST"]))
    for path, reads in beside.READS:
        routes.append(Route(path, Door(bridge, chat, reads, gated=False), methods=["GET"]))
    for path, health in beside.HEALTH:
        routes.append(Route(path, _open(bridge, health), methods=["GET"]))
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={404: _missing, 405: _missing})


def _open(bridge: Bridge, told: Callable[[Bridge], tuple[int, dict[str, Any]]]) -> Any:
    from starlette.responses import JSONResponse

    async def health(_: Any) -> Any:
        status, value = told(bridge)
        return JSONResponse(value, status)

    return health


async def _missing(request: Any, error: Any) -> Any:
    """Answer an unknown path, or a method that a path does not take, in the shape of whoever asks."""
    from starlette.responses import JSONResponse

    from .refusals import Refusal

    face = FACES["anthropic" if "anthropic-version" in request.headers else "chat"]
    text = f"there is no {request.method} {request.url.path}"
    refusal = Refusal(error.status_code, text, code="not_found" if error.status_code == 404 else "method_not_allowed")
    return JSONResponse(face.error(refusal), error.status_code, headers=error.headers)
