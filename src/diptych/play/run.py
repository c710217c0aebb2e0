"""Serve the page on this machine, and say its address."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ..errors import MissingExtra
from .app import Play, make_app


def run_play(play: Play, *, port: int = 0, opens: bool = True) -> None:
    """Serve until Ctrl-C. ``opens``: show the page in the browser. Raises MissingExtra without uvicorn."""
    try:
        import uvicorn
    except ImportError:
        raise MissingExtra("the page needs starlette and uvicorn", extra="serve") from None
    options: dict[str, Any] = {"access_log": False, "log_level": "warning", "server_header": False, "lifespan": "on"}

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            if self.started:
                _say(f"http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}/?token={play.token}", play, opens)

    Server(uvicorn.Config(make_app(play), host="127.0.0.1", port=port, **options)).run()


def _say(address: str, play: Play, opens: bool) -> None:
    print(f"{address}\ntemplates of {Path(play.folder)}; {play.told}; Ctrl-C ends it", file=sys.stderr, flush=True)
    if opens:
        import webbrowser

        webbrowser.open(address)
