"""Server-sent events: bytes in, events out.

Rule: knows nothing of HTTP, JSON or chat. Works in linear time whatever the chunks,
never raises on a split character, holds no event larger than the cap. One deviation
from the WHATWG rules: at the end of the stream a last event without its blank line
is delivered, because servers forget it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ..errors import ResponseTooLarge

#: Bytes of one event: an image in base64 fits, an endless line does not.
MAX_EVENT: Final = 16 * 1024 * 1024
_BOM: Final = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One event: its type (``message`` unless named) and its data as it came."""

    event: str
    data: bytes


class LineDecoder:
    """Decode lines of JSON as events: each line is one.

    >>> LineDecoder().feed(b'{"a": 1}\\n{"b"')
    [Event(event='message', data=b'{"a": 1}')]
    """

    def __init__(self, largest: int = MAX_EVENT) -> None:
        self._pieces: list[bytes] = []
        self._size, self._largest = 0, largest

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes, return the events that are whole. Raises ResponseTooLarge."""
        first, *lines = data.split(b"\n")
        self._pieces.append(first)
        self._size += len(first)
        if self._size > self._largest:
            raise ResponseTooLarge(f"one line of the stream is larger than {self._largest} bytes")
        if not lines:
            return []
        whole, self._pieces, self._size = [b"".join(self._pieces), *lines[:-1]], [lines[-1]], len(lines[-1])
        return [Event("message", line) for line in map(bytes.strip, whole) if line]

    def finish(self) -> list[Event]:
        """Take the end: a last line may lack its line break."""
        rest, self._pieces = b"".join(self._pieces).strip(), []
        return [Event("message", rest)] if rest else []


class Decoder:
    """Feed it bytes, get events; :meth:`finish` gives what is left at the end.

    >>> Decoder().feed(b"data: a\\ndata: b\\r\\n\\r\\n")
    [Event(event='message', data=b'a\\nb')]
    """

    def __init__(self, max_event: int = MAX_EVENT) -> None:
        self._max = max_event
        self._tail: list[bytes] = []  # the pieces of a line whose end has not come
        self._data: list[bytes] = []
        self._size = 0
        self._type = ""
        self._after_cr = False
        self._start: bytes | None = b""  # the first bytes, until they cannot be a BOM

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that these bytes complete. Raises ResponseTooLarge."""
        if (whole := self._whole(chunk)) is not None:
            return whole
        if self._start is not None:
            self._start += chunk
            if len(self._start) < len(_BOM) and _BOM.startswith(self._start):
                return []
            chunk, self._start = self._start.removeprefix(_BOM), None
        if self._after_cr and chunk:
            # The CR that ended the last chunk ended a line; its LF comes with this one.
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        self._after_cr = self._after_cr or chunk.endswith(b"\r")
        *lines, rest = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        events = [event for line in lines if (event := self._line(line))]
        if rest:
            self._grow(len(rest))
            self._tail.append(rest)
        return events

    def _whole(self, chunk: bytes) -> list[Event] | None:
        """Return the events of bytes that are whole events of one line of data each, as nearly all are; else None."""
        if chunk[:6] != b"data: " or chunk[-2:] != b"\n\n" or b"\r" in chunk:
            return None
        if self._tail or self._data or self._type or self._after_cr or self._start is not None:
            return None
        end = len(chunk) - 2
        if chunk.find(b"\n", 6) == end:  # one event, as most reads hold
            return None if end > self._max else [Event("message", chunk[6:end])] if end > 6 else []
        found = chunk[6:-2].split(b"\n\ndata: ")
        if chunk.count(b"\n") != 2 * len(found) or max(map(len, found)) + 6 > self._max:
            return None
        return [Event("message", data) for data in found if data]

    def finish(self) -> list[Event]:
        """Return the last event where the stream ended without its blank line."""
        start, self._start = self._start, None
        events = self.feed(start) if start else []
        if self._tail:
            self._line(b"")
        last = self._dispatch()
        return [*events, last] if last else events

    def _line(self, line: bytes) -> Event | None:
        if self._tail:
            self._tail.append(line)
            line, self._tail = b"".join(self._tail), []
        else:
            self._grow(len(line))
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
        elif name == b"event":
            self._type = value.removeprefix(b" ").decode("utf-8", "replace")
        return None

    def _dispatch(self) -> Event | None:
        data, kind = b"\n".join(self._data), self._type
        self._data, self._size, self._type = [], 0, ""
        # Events of only an id, a comment, or empty data say nothing.
        return Event(kind or "message", data) if data else None

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self._max:
            raise ResponseTooLarge(f"one event of the stream is larger than {self._max} bytes")
