"""Binary frames of ``application/vnd.amazon.eventstream``: bytes in, events out, and back.

A frame is its length, the length of its headers and a checksum of both (12 bytes), then headers, payload and a
checksum of all of it, numbers in network order. Works in linear time whatever the chunks and holds no frame
larger than the cap. A frame whose checksum does not hold is an error and never skipped.

Source: AWS SDK reference, "Event streams"; botocore 1.44, ``eventstream``; read 2026-11-26.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from ..errors import FormatError, ResponseTooLarge

#: Bytes of a frame: those of an event of other streams (``client.sse``).
MAX_FRAME: Final = 16 * 1024 * 1024
_PRELUDE: Final = struct.Struct("!III")
_CRC: Final = struct.Struct("!I")
#: Lengths of the values of headers by type; those of 6 (bytes) and 7 (text) are stated.
_SIZES: Final = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
_TEXT: Final = 7


class Frame(NamedTuple):
    """One frame: its headers that are texts, and its payload."""

    headers: Mapping[str, str]
    payload: bytes

    @property
    def data(self) -> bytes:
        """The event as JSON: an object with one field, its name.

        >>> Frame({":message-type": "event", ":event-type": "messageStop"}, b'{"stopReason": "end_turn"}').data
        b'{"messageStop": {"stopReason": "end_turn"}}'
        """
        headers = self.headers
        kind = headers.get(":message-type")
        if kind == "error":
            stated = {"type": headers.get(":error-code"), "message": headers.get(":error-message", "")}
            return json.dumps({"error": stated}, ensure_ascii=False).encode()
        name = headers.get(":exception-type" if kind == "exception" else ":event-type", "")
        return b"{" + json.dumps(name).encode() + b": " + (self.payload or b"{}") + b"}"

    @property
    def event(self) -> Any:
        """The event as an SDK shows it. Raises FormatError for a payload that is not JSON."""
        try:
            return json.loads(self.data)
        except (ValueError, RecursionError):
            raise FormatError("the payload of a frame is not JSON") from None


class Decoder:
    """Feed it bytes, get frames; ``is_between`` says whether the last one is whole.

    >>> decoder = Decoder()
    >>> [frame.event for frame in decoder.feed(encode({"messageStart": {"role": "assistant"}}))]
    [{'messageStart': {'role': 'assistant'}}]
    """

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._buffer, self._max = bytearray(), max_frame
        self._needed = _PRELUDE.size
        self._broken: FormatError | None = None

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that these bytes complete. Raises FormatError, ResponseTooLarge.

        Frames before a damaged one are returned first; the next call raises.
        """
        self.finish()
        self._buffer += data
        found: list[Frame] = []
        try:
            self._take(found)
        except FormatError as error:
            if not found:
                raise
            self._broken = error
        return found

    def finish(self) -> None:
        """Take the end. Raises FormatError where a damaged frame came last."""
        if self._broken is not None:
            raise self._broken

    def _take(self, found: list[Frame]) -> None:
        at = 0
        while len(self._buffer) - at >= self._needed:
            if self._needed == _PRELUDE.size:
                self._needed = self._length(at)
            else:
                found.append(_frame(bytes(self._buffer[at : at + self._needed])))
                at += self._needed
                self._needed = _PRELUDE.size
        del self._buffer[:at]

    @property
    def is_between(self) -> bool:
        """True where no frame has begun that is not whole."""
        return not self._buffer

    def _length(self, at: int) -> int:
        """Return the length of the frame that begins here."""
        total, headers, crc = _PRELUDE.unpack_from(self._buffer, at)
        if zlib.crc32(self._buffer[at : at + 8]) != crc:
            raise FormatError("the checksum of a frame's prelude does not hold: damaged, or not an event stream")
        if total > self._max:
            raise ResponseTooLarge(f"one frame of the stream is larger than {self._max} bytes")
        if total < _PRELUDE.size + headers + _CRC.size:
            raise FormatError("a frame is shorter than its headers")
        return int(total)


def _frame(data: bytes) -> Frame:
    if zlib.crc32(data[: -_CRC.size]) != _CRC.unpack(data[-_CRC.size :])[0]:
        raise FormatError("the checksum of a frame does not hold: the stream is damaged")
    end = _PRELUDE.size + _PRELUDE.unpack_from(data)[1]
    return Frame(dict(_headers(data[_PRELUDE.size : end])), data[end : -_CRC.size])


def _headers(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield the headers that are texts."""
    at = 0
    try:
        while at < len(data):
            name = data[at + 1 : at + 1 + data[at]].decode()
            at += 1 + data[at]
            kind, at = data[at], at + 1
            if kind in _SIZES:
                at += _SIZES[kind]
                continue
            (size,) = struct.unpack_from("!H", data, at)
            value, at = data[at + 2 : at + 2 + size], at + 2 + size
            if kind == _TEXT:
                yield name, value.decode()
    except (IndexError, struct.error, UnicodeDecodeError):
        raise FormatError("the headers of a frame are malformed") from None


def encode(event: Mapping[str, Any]) -> bytes:
    """Return the frame of an event: an object with one field, its name. Exceptions are marked as such.

    >>> encode({"messageStop": {"stopReason": "end_turn"}})[12:23]
    b'\\x0b:event-typ'
    """
    name, value = next(iter(event.items()))
    is_exception = name.endswith("Exception")
    headers = {
        ":exception-type" if is_exception else ":event-type": name,
        ":content-type": "application/json",
        ":message-type": "exception" if is_exception else "event",
    }
    return frame_of(headers, json.dumps(value, ensure_ascii=False).encode())


def frame_of(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Return a frame of headers that are texts, and a payload."""
    packed = b"".join(map(_packed, headers.items()))
    start = struct.pack("!II", _PRELUDE.size + len(packed) + len(payload) + _CRC.size, len(packed))
    data = start + _CRC.pack(zlib.crc32(start)) + packed + payload
    return data + _CRC.pack(zlib.crc32(data))


def _packed(header: tuple[str, str]) -> bytes:
    name, value = (one.encode() for one in header)
    return bytes([len(name)]) + name + bytes([_TEXT]) + struct.pack("!H", len(value)) + value
