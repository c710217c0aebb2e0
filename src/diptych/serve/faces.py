"""The APIs that the bridge offers: where each stands, how its streams are framed, how it says an error.

Rule: one row per API; a difference is a cell of this table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..apis.failures import write_failure
from ..client.endpoints import ENDPOINTS
from ..request import Api
from .refusals import Refusal

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
DONE: Final = b"data: [DONE]\n\n"


@dataclass(frozen=True)
class Face:
    """One API as clients see it.

    ``names_events`` writes an ``event:`` line before each chunk; ``ends`` is sent after the last one.
    """

    api: Api
    names_events: bool = False
    ends: bytes = b""

    @property
    def path(self) -> str:
        """The path of its calls."""
        return f"/v1{ENDPOINTS[self.api].path}"

    def error(self, refusal: Refusal) -> dict[str, Any]:
        """Return the body of an error.

        >>> FACES["anthropic"].error(Refusal(429, "slow down"))["error"]["type"]
        'rate_limit_error'
        """
        return write_failure(refusal.failure(), self.api)[0]

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


FACES: Final[dict[Api, Face]] = {
    "completions": Face("completions", ends=DONE),
    "chat": Face("chat", ends=DONE),
    "responses": Face("responses", names_events=True, ends=DONE),
    "anthropic": Face("anthropic", names_events=True),
}
