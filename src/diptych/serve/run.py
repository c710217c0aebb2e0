"""Run the bridge: uvicorn, its log, its end.

Rule: on SIGTERM and SIGINT no further call is taken, and those that were accepted are finished, up to the
seconds that are given for that.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

from ..client.requests import is_loopback
from ..errors import MissingExtra
from .app import make_app
from .bridge import Bridge
from .doors import logger


def run_bridge(bridge: Bridge, *, host: str = "127.0.0.1", port: int = 8484, drain: int = 60, log: bool = True) -> None:
    """Serve until a signal comes. ``drain`` is how many seconds accepted calls may take then."""
    try:
        import uvicorn
    except ImportError:
        raise MissingExtra("the bridge needs starlette and uvicorn", extra="serve") from None
    start_log(shown=log)
    if warning := exposure(bridge, host):
        print(f"warning: {warning}", file=sys.stderr)
    config = uvicorn.Config(
        make_app(bridge),
        host=host,
        port=port,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=drain,
        timeout_keep_alive=75,
        backlog=2048,
        server_header=False,
        lifespan="on",
    )

    class Server(uvicorn.Server):
        def handle_exit(self, sig: Any, frame: Any) -> None:
            bridge.gate.is_open = False
            super().handle_exit(sig, frame)

        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            if self.started:
                address = f"http://{host}:{self.servers[0].sockets[0].getsockname()[1]}/v1"
                print(f"serving {address} over {bridge.client.base_url}", file=sys.stderr, flush=True)

    Server(config).run()


def exposure(bridge: Bridge, host: str) -> str | None:
    """Return what is to be said where other machines reach the bridge.

    >>> from .settings import Settings
    >>> exposure(Bridge(Settings(upstream="http://127.0.0.1:9/v1")), "127.0.0.1") is None
    True
    """
    if is_loopback(host):
        return None
    if not bridge.keys:
        return (
            f"every machine that reaches {host} can spend the upstream's key: there are no keys; "
            "set DIPTYCH_SERVE_KEYS or --keys-file"
        )
    return f"other machines reach {host} over plain http: put TLS in front, or the keys are readable on the way"


def start_log(*, shown: bool) -> None:
    """Write one line per call to standard error: JSON, without texts and keys."""
    logger.setLevel(logging.INFO if shown else logging.WARNING)
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
        logger.propagate = False
