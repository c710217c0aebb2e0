"""How the stream of each message API is framed on the wire: one row per API.

Rule: a difference between servers is a cell of this table, never a branch elsewhere. Sources: the API
references of OpenAI, Anthropic, Google, AWS and Ollama, 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from . import eventstream

#: What ends a stream of Chat and Completions.
DONE: Final = "[DONE]"


class Framing(NamedTuple):
    """How a stream is framed: ``events`` (server-sent), ``lines`` of JSON, or ``binary`` frames.

    ``named`` says that an event bears its type as its name, ``done`` that ``[DONE]`` ends the stream.
    """

    kind: Literal["events", "lines", "binary"] = "events"
    named: bool = False
    done: bool = False

    @property
    def media_type(self) -> str:
        """The media type of such a stream."""
        return _TYPES[self.kind]

    def frame(self, event: Mapping[str, Any]) -> bytes:
        """Return the bytes of one event.

        >>> FRAMINGS["anthropic"].frame({"type": "ping"})
        b'event: ping\\ndata: {"type": "ping"}\\n\\n'
        """
        if self.kind == "binary":
            return eventstream.encode(event)
        data = json.dumps(event, ensure_ascii=False, default=str).encode()
        if self.kind == "lines":
            return data + b"\n"
        name = f"event: {event['type']}\n".encode() if self.named and "type" in event else b""
        return name + b"data: " + data + b"\n\n"

    @property
    def end(self) -> bytes:
        """The bytes that end a stream."""
        return f"data: {DONE}\n\n".encode() if self.done else b""


_TYPES: Final = {
    "events": "text/event-stream",
    "lines": "application/x-ndjson",
    "binary": "application/vnd.amazon.eventstream",
}
FRAMINGS: Final[Mapping[str, Framing]] = {
    "chat": Framing(done=True),
    "completions": Framing(done=True),
    "responses": Framing(named=True),
    "anthropic": Framing(named=True),
    "gemini": Framing(),
    "bedrock": Framing("binary"),
    "ollama": Framing("lines"),
}


def framed(events: Iterable[Mapping[str, Any]], api: str) -> Iterator[bytes]:
    """Yield the bytes of each event as the server of an API sends it, and what ends the stream if it is whole.

    >>> b"".join(framed([{"choices": [{"finish_reason": "stop"}]}], "chat"))[-14:]
    b'data: [DONE]\\n\\n'
    >>> list(framed([{"choices": []}], "chat"))
    [b'data: {"choices": []}\\n\\n']
    """
    framing, is_whole = FRAMINGS[api], False
    for event in events:
        yield framing.frame(event)
        is_whole = not event.get("error") and (is_whole or _has_end(event))
    if framing.end and is_whole:
        yield framing.end


def _has_end(event: Mapping[str, Any]) -> bool:
    """Tell whether a chunk says why a reply ended."""
    choices = event.get("choices")
    return isinstance(choices, list) and any(isinstance(one, Mapping) and one.get("finish_reason") for one in choices)
