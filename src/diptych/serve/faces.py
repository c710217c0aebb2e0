"""The APIs that the bridge offers: where each stands, how its streams are framed, how it says an error.

Rule: one row per API; a difference is a cell of this table.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..client.endpoints import ENDPOINTS
from ..client.options import Api
from .refusals import ANTHROPIC_TYPES, OPENAI_TYPES, Refusal

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
DONE: Final = b"data: [DONE]\n\n"


@dataclass(frozen=True)
class Face:
    """One API as clients see it.

    ``names_events`` writes an ``event:`` line before each chunk; ``ends`` is sent after the last one.
    ``shape`` makes the body of an error.
    """

    api: Api
    shape: Callable[[Refusal], dict[str, Any]]
    names_events: bool = False
    ends: bytes = b""

    @property
    def path(self) -> str:
        """The path of its calls."""
        return f"/v1{ENDPOINTS[self.api].path}"

    def frame(self, chunk: Mapping[str, Any]) -> bytes:
        r"""Return a chunk as an event of the stream.

        >>> FACES["chat"].frame({"choices": []})
        b'data: {"choices":[]}\n\n'
        """
        named = f"event: {chunk['type']}\n".encode() if self.names_events else b""
        return named + b"data: " + encode(chunk) + b"\n\n"


def encode(value: Any) -> bytes:
    """Return the JSON of a value; a lone surrogate, which UTF-8 cannot say, has an escape."""
    try:
        return _ENCODER.encode(value).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def openai_error(refusal: Refusal) -> dict[str, Any]:
    """Return an error in the shape of OpenAI's APIs.

    >>> openai_error(Refusal(400, "no such field", param="suffix"))["error"]["param"]
    'suffix'
    """
    kind = refusal.type or OPENAI_TYPES.get(refusal.status) or _by_class(refusal.status)
    return {"error": {"message": refusal.message, "type": kind, "param": refusal.param, "code": refusal.code}}


def anthropic_error(refusal: Refusal) -> dict[str, Any]:
    """Return an error in the shape of Anthropic's API.

    >>> anthropic_error(Refusal(429, "slow down"))["error"]["type"]
    'rate_limit_error'
    """
    fallback = "invalid_request_error" if refusal.status < 500 else "api_error"
    kind = ANTHROPIC_TYPES.get(refusal.status, fallback)
    return {"type": "error", "error": {"type": kind, "message": refusal.message}}


def _by_class(status: int) -> str:
    return "invalid_request_error" if status < 500 else "server_error"


FACES: Final[dict[Api, Face]] = {
    "completions": Face("completions", openai_error, ends=DONE),
    "chat": Face("chat", openai_error, ends=DONE),
    "responses": Face("responses", openai_error, names_events=True),
    "anthropic": Face("anthropic", anthropic_error, names_events=True),
}
