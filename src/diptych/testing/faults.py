"""Faults that a test asks the server for, as values: what is sent, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

_REASONS = {200: "OK", 302: "Found", 307: "Temporary Redirect", 400: "Bad Request", 429: "Too Many Requests"}


@dataclass(frozen=True)
class Fault:
    """One answer of the server that goes wrong.

    ``chunks`` are sent as they are, ``pause`` seconds apart, ``delay`` seconds after
    the request; then the connection is kept (``keep``), closed, or ``reset``. Where
    ``chunks`` is None the right answer is sent, cut after ``events`` events.
    """

    chunks: Sequence[bytes] | None = None
    events: int | None = None
    delay: float = 0.0
    pause: float = 0.0
    reset: bool = False
    keep: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


def _phrase(code: int) -> str:
    """Return the standard's words for a status, which do not repeat its number."""
    return HTTPStatus(code).phrase if code in {*HTTPStatus} else "a status without a name"


def status(code: int, *, body: Any = None, headers: Mapping[str, str] | None = None) -> Fault:
    """Answer with this status. ``body`` is bytes, or a JSON value (by default an error object)."""
    if body is None:
        body = {"error": {"message": _phrase(code), "type": "test_error", "code": None, "param": None}}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.lower(): value for name, value in (headers or {}).items()}
    lines = {"content-type": "application/json", "content-length": str(len(data)), **named}
    head = f"HTTP/1.1 {code} {_REASONS.get(code, 'Status')}\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items())
    return Fault([f"{head}\r\n".encode("latin-1") + data], keep=True)


def redirect(location: str, *, code: int = 307) -> Fault:
    """Send the client elsewhere."""
    return status(code, body=b"", headers={"location": location})


def reset(after: bytes = b"") -> Fault:
    """Send these bytes and break the connection."""
    return Fault([after] if after else [], reset=True)


def cut(events: int) -> Fault:
    """Begin the right stream and close it cleanly after so many events."""
    return Fault(events=events)


def hang(seconds: float = 3600.0) -> Fault:
    """Say nothing for so long."""
    return Fault([], delay=seconds)


def slow(data: bytes, *, pause: float, size: int = 1) -> Fault:
    """Send bytes ``size`` at a time, ``pause`` seconds apart."""
    return Fault([data[i : i + size] for i in range(0, len(data), size)], pause=pause)


def raw(*chunks: bytes, pause: float = 0.0) -> Fault:
    """Send these bytes, status line and all, and close."""
    return Fault(list(chunks), pause=pause)
