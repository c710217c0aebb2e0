"""The bridge: an HTTP server that speaks Completions, Chat, Responses and Messages over any one of them.

Programs that cannot change send what they always sent; the bridge reads it, writes it for the API of the
upstream server, and writes the answer back. Everything goes through the readers and writers of ``apis/``.
Needs the extra ``serve`` (starlette, uvicorn); :func:`make_app` gives an ASGI application.
"""

from __future__ import annotations

from .app import make_app
from .bridge import Bridge
from .settings import Settings

__all__ = ["Bridge", "Settings", "make_app"]
