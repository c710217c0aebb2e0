"""Binary frames of a stream as the events that the other framings give.

Rule: a frame that is damaged breaks the stream; nothing after it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..apis import eventstream
from ..errors import FormatError, StreamInterrupted
from .sse import Event


class FrameDecoder:
    """Feed it bytes, get events.

    >>> FrameDecoder().feed(eventstream.encode({"messageStop": {"stopReason": "end_turn"}}))
    [Event(event='message', data=b'{"messageStop": {"stopReason": "end_turn"}}')]
    """

    def __init__(self) -> None:
        self._decoder = eventstream.Decoder()

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that these bytes complete. Raises StreamInterrupted, ResponseTooLarge."""
        with _interrupted():
            return [Event("message", frame.data) for frame in self._decoder.feed(data)]

    def finish(self) -> list[Event]:
        """Take the end: a frame that was cut off is not whole and says nothing. Raises StreamInterrupted."""
        with _interrupted():
            self._decoder.finish()
        return []


@contextmanager
def _interrupted() -> Iterator[None]:
    try:
        yield
    except FormatError as error:
        raise StreamInterrupted(error.message) from None
