"""Answers of HTTP/1.1: bytes in, a head and the bytes of its body out.

Rule: no sockets, no clock, and nothing is repaired (RFC 9112). One pass over the bytes, however they are cut; what a
head or the frame of a chunk may have is capped. A body ends by its length, by its last chunk, or with its connection;
which of them holds follows from the head alone.
"""

from __future__ import annotations

import re
from typing import Final

from .exchange import Head, headers_of

#: Bytes of a head, and of the lines after a last chunk.
MAX_HEAD: Final = 100 * 1024
#: Bytes of the line before a chunk: its length, and extensions that nobody uses.
_MAX_LINE: Final = 4096
#: A value may go on in the next line (RFC 9112, 5.2).
_LINE: Final = re.compile(rb"\r?\n(?![ \t])")
_FOLDED: Final = re.compile(rb"[ \t]*\r?\n[ \t]+")
_END: Final = re.compile(rb"\r?\n\r?\n")
_STATUS: Final = re.compile(rb"HTTP/([0-9]\.[0-9]) ([0-9]{3})(?: [^\x00-\x08\x0a-\x1f\x7f]*)?")
_FIELD: Final = re.compile(rb"([-!#$%&'*+.^_`|~0-9A-Za-z]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\n]*)?\r\n")
_LENGTH: Final = re.compile(r"[0-9]{1,18}")
#: Statuses of answers without a body.
_BARE: Final = frozenset({204, 304})


class RemoteProtocolError(Exception):
    """The server does not speak HTTP as it should, or went away within an answer."""


class Reader:
    """Read one answer: feed it bytes, and the end of the connection as none.

    >>> reader = Reader()
    >>> reader.feed(b"HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nHi")
    b'Hi'
    >>> reader.head.status, reader.over, reader.keeps
    (200, True, True)
    """

    def __init__(self) -> None:
        self.head: Head | None = None
        #: Whether the answer is whole, and whether its connection can carry another one.
        self.over = self.keeps = False
        self._rest = b""  # bytes that are not understood without those that follow
        self._left: int | None = None  # bytes to come of a body, or of a chunk; None: all until the end
        self._chunked = self._in_chunk = self._last = False

    def feed(self, data: bytes) -> bytes:
        """Return the bytes of the body among these. Raises RemoteProtocolError."""
        if not data:
            return self._finish()
        if self.head is None:
            data = self._open(self._rest + data, max(0, len(self._rest) - 3))
            if self.head is None:
                return b""
        if self.over:
            self.keeps = self.keeps and not data  # what nobody asked for belongs to no answer
            return b""
        if self._chunked:
            return self._chunks(self._rest + data if self._rest else data)
        if self._left is None:
            return data
        body, self._left = data[: self._left], max(0, self._left - len(data))
        if not self._left:
            self._end(len(data) == len(body))
        return body

    def _finish(self) -> bytes:
        """Take the end of the connection."""
        self.keeps = False
        if self.head is None:
            raise RemoteProtocolError("the server closed the connection without an answer")
        if not self.over and (self._chunked or self._left is not None):
            raise RemoteProtocolError("the connection was closed within the answer")
        self.over = True
        return b""

    def _end(self, is_last: bool) -> None:
        self.over, self.keeps = True, self.keeps and is_last

    # the head -------------------------------------------------------------------------

    def _open(self, data: bytes, new: int) -> bytes:
        """Read the head, once it is there; return what follows it. ``new`` is where its end may be at the earliest."""
        while True:
            end = _END.search(data, new)
            if len(data) > MAX_HEAD and (end is None or end.end() > MAX_HEAD):
                raise RemoteProtocolError("the head of the answer is too large")
            if end is None:
                self._rest = data
                return b""
            version, head = _head_of(data[: end.start()])
            data, new = data[end.end() :], 0
            if head.status >= 200:
                break
            if head.status == 101:
                raise RemoteProtocolError("the server changes to a protocol that nobody asked for")
        self._rest = b""
        self._frame(head)
        self.keeps = self.keeps and version == b"1.1" and "close" not in _values(head, "connection")
        self.head = head
        return data

    def _frame(self, head: Head) -> None:
        """Find out where the body ends. Raises RemoteProtocolError."""
        codings, lengths = _values(head, "transfer-encoding"), set(_values(head, "content-length"))
        if codings and codings != ["chunked"]:
            raise RemoteProtocolError("the answer has a transfer encoding that nobody asked for")
        if len(lengths) > 1 or not all(map(_LENGTH.fullmatch, lengths)):
            raise RemoteProtocolError("the length of the answer is not a number")
        self._chunked = bool(codings)
        if lengths and not codings:
            self._left = int(lengths.pop())
        self.over = head.status in _BARE or self._left == 0
        # With both, the chunks count, and the connection is not to be trusted (RFC 9112, 6.3).
        self.keeps = self.over or (not lengths if self._chunked else self._left is not None)

    # chunks ---------------------------------------------------------------------------

    def _chunks(self, data: bytes) -> bytes:
        pieces: list[bytes] = []
        at, size = 0, len(data)
        while at < size:
            if self._left:
                piece = data[at : at + self._left]
                pieces.append(piece)
                at += len(piece)
                self._left -= len(piece)
                continue
            found = self._next(data, at)
            if found == at:
                break
            at = found
        self._rest = data[at:] if at < size and not self.over else b""
        if self.over:
            self.keeps = self.keeps and at == size
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _next(self, data: bytes, at: int) -> int:
        """Read the frame before the next chunk; return where it ends, or ``at`` where it is not all there."""
        start = at  # of the line
        if self._last:
            return self._trailer(data, at)
        if self._in_chunk:
            start += 2
            if not b"\r\n".startswith(data[at:start]):
                raise RemoteProtocolError("a chunk of the answer is longer than it says")
        line = _CHUNK.match(data, start)
        if line is None:
            if len(data) - start > _MAX_LINE or not _may_begin(data, start):
                raise RemoteProtocolError("the length of a chunk is not a number")
            return at
        self._left = int(line[1], 16)
        self._in_chunk, self._last = True, not self._left
        return line.end()

    def _trailer(self, data: bytes, at: int) -> int:
        """Read a line after the last chunk; an empty one ends the answer."""
        end = data.find(b"\n", at)
        if end < 0:
            if len(data) - at > MAX_HEAD:
                raise RemoteProtocolError("a line after the answer is too long")
            return at
        line = data[at:end].removesuffix(b"\r")
        if line and not _FIELD.fullmatch(line):
            raise RemoteProtocolError("a line after the answer is malformed")
        self.over = not line
        return end + 1


_BEGUN: Final = re.compile(rb"(?:[0-9A-Fa-f]{1,16}[ \t]*(?:;[^\n]*|\r)?)?")


def _may_begin(data: bytes, at: int) -> bool:
    """Return whether the bytes from here may become the line before a chunk."""
    return _BEGUN.fullmatch(data, at) is not None


def _head_of(data: bytes) -> tuple[bytes, Head]:
    """Return the version and the head."""
    first, *lines = _LINE.split(data)
    status = _STATUS.fullmatch(first)
    if status is None or status[2] < b"100":
        raise RemoteProtocolError("the answer does not begin as HTTP does")
    fields = [_FIELD.fullmatch(_FOLDED.sub(b" ", line)) for line in lines]
    if None in fields:
        raise RemoteProtocolError("a header of the answer is malformed")
    pairs = ((found[1].decode("ascii"), found[2].rstrip(b" \t").decode("latin-1")) for found in fields if found)
    return status[1], Head(int(status[2]), headers_of(pairs))


def _values(head: Head, name: str) -> list[str]:
    """Return the values of a header in lower case, none where it is not there."""
    return [value.strip() for value in head.headers[name].lower().split(",")] if name in head.headers else []
