"""One request and its answer, as commands to whoever does the I/O.

Rule: knows bytes, deadlines and caps, not what the bytes mean. The commands are the
whole of what a loop must be able to do: open, read, sleep, hand deltas over;
an answer is closed by whoever opened it.
An answer may also come from a cassette: then no command is given at all.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Iterable
from typing import Any, Final, NamedTuple, TypeAlias, Union

from ..errors import InvalidResponse, ResponseTooLarge
from .cassette import Recorder, Tape
from .options import Timeouts
from .replies import Delta
from .requests import Outgoing


class Open(NamedTuple):
    """Send a request and wait for its head; the result is a :class:`Head` or :class:`Failed`.

    ``deadline`` is a moment of the monotonic clock, ``connect`` seconds.
    """

    outgoing: Outgoing
    deadline: float | None
    connect: float | None


class Read(NamedTuple):
    """Read bytes until the deadline; the result is bytes (none: the end) or :class:`Failed`."""

    deadline: float | None


class Sleep(NamedTuple):
    """Wait so many seconds."""

    seconds: float


class Emit(NamedTuple):
    """Hand these deltas to the caller."""

    deltas: list[Delta]


Command: TypeAlias = Union[Open, Read, Sleep, Emit]
Steps: TypeAlias = Generator[Command, Any, Any]


class Head(NamedTuple):
    """Status and headers (names in lower case) of an answer."""

    status: int
    headers: dict[str, str]

    def map(self, change: Callable[[str], str]) -> Head:
        """Return the head with every value of its headers changed."""
        return Head(self.status, {name: change(value) for name, value in self.headers.items()})


#: Headers each of whose values counts: how a body is framed and encoded.
_LISTED: Final = frozenset({"connection", "content-encoding", "content-length", "transfer-encoding"})


def headers_of(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers by their names in lower case; of one that was sent twice the last value, or a list of all.

    >>> headers_of([("X-Id", "1"), ("x-id", "2"), ("Content-Encoding", "gzip"), ("content-encoding", "identity")])
    {'x-id': '2', 'content-encoding': 'gzip,identity'}
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        name = name.lower()
        found[name] = f"{found[name]},{value}" if name in _LISTED and name in found else value
    return found


class Failed(NamedTuple):
    """An I/O error as a value: no exception of an HTTP library leaves the loops.

    ``kind``: timeout, connect_timeout, connect, tls, proxy, broken, protocol, redirect, closed. ``sent`` tells
    whether the request had gone out, so that the server may have worked on it.
    """

    kind: str
    detail: str = ""
    sent: bool = False


class LostError(Exception):
    """Internal: an exchange that ended in :class:`Failed`; ``limit`` names the deadline, if one."""

    def __init__(self, failed: Failed, limit: str | None = None) -> None:
        super().__init__(failed.kind)  # the detail quotes what came, a key for example
        self.failed = failed
        self.limit = limit


class Exchange:
    """The deadlines, the caps and the cassette around one request."""

    def __init__(
        self,
        outgoing: Outgoing,
        timeouts: Timeouts,
        *,
        total: float | None,
        clock: Callable[[], float],
        stream: bool,
        tape: Tape | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self._outgoing, self._timeouts, self._total, self._clock = outgoing, timeouts, total, clock
        self._first = clock() + timeouts.first_token if stream and timeouts.first_token else None
        self._tape, self._recorder = tape, recorder
        self._inflate: Inflater | None = None
        self._readable = True
        self.received = 0

    def open(self) -> Steps:
        """Send; return the :class:`Head`. Raises LostError."""
        if self._tape is not None:
            head = Head(self._tape.status, dict(self._tape.headers))
        else:
            deadline, limit = self._deadline(reading=False)
            result = yield Open(self._outgoing, deadline, self._timeouts.connect)
            head = self._check(result, limit)
        try:
            self._inflate = inflater(head.headers.get("content-encoding", ""))
        except InvalidResponse:
            if 200 <= head.status < 300:
                raise
            self._readable = False  # the status of a refused call says enough
        if self._recorder is not None:
            # What is recorded is decompressed: a key could not be replaced in compressed bytes.
            decoded = () if self._inflate is None else ("content-encoding",)
            self._recorder.head(head.status, {k: v for k, v in head.headers.items() if k not in decoded})
        return head

    def read(self, cap: int, *, until: float | None = None) -> Steps:
        """Return the next decoded bytes, none at the end. Raises LostError, ResponseTooLarge."""
        if self._tape is not None:
            data = self._tape.read()
        else:
            deadline, limit = self._deadline(reading=True)
            if until is not None:
                deadline, limit = min(until, deadline or until), "drain"
            data = self._check((yield Read(deadline)), limit)
        self.received += len(data)
        if self._inflate is not None:
            found = self._inflate.feed(data, cap)
        elif self.received > cap:
            raise ResponseTooLarge(f"the answer is larger than {cap} bytes")
        else:
            found = data
        if self._recorder is not None and found:
            self._recorder.chunk(found)
        return found

    def read_all(self, cap: int, *, cut: bool = False) -> Steps:
        """Return the whole body; ``cut`` stops at the cap where an error's body is read."""
        pieces: list[bytes] = []
        size = 0
        while True:
            try:
                data = yield from self.read(cap)
            except ResponseTooLarge:
                if cut:
                    return b"".join(pieces)[:cap]
                raise
            if data is None:
                continue  # compressed bytes that gave nothing yet
            if not data:
                return b"".join(pieces) if self._readable else b""
            size += len(data)
            pieces.append(data)

    def check_total(self) -> None:
        """Raise LostError where the time of the whole call is over."""
        if self._total is not None and self._tape is None and self._clock() > self._total:
            raise LostError(Failed("timeout", sent=True), "total")

    def token_arrived(self) -> None:
        """Say that the first delta is here: its deadline no longer counts."""
        self._first = None

    def _deadline(self, *, reading: bool) -> tuple[float | None, str]:
        deadline, limit = self._total, "total"
        if self._first is not None and (deadline is None or self._first < deadline):
            deadline, limit = self._first, "first_token"
        if reading and self._timeouts.idle is not None:
            idle = self._clock() + self._timeouts.idle
            if deadline is None or idle < deadline:
                deadline, limit = idle, "idle"
        return deadline, limit

    def _check(self, result: Any, limit: str) -> Any:
        if isinstance(result, Failed):
            if self._recorder is not None:
                self._recorder.failed(result.kind)
            raise LostError(result, self._passed(result.kind, limit))
        return result

    def _passed(self, kind: str, limit: str) -> str | None:
        """Return the name of the time limit that passed, None where it was something else."""
        if kind not in ("timeout", "connect_timeout"):
            return None
        if self._total is not None and self._clock() >= self._total:
            return "total"
        return "connect" if kind == "connect_timeout" else limit


class Inflater:
    """Decompress with a cap: a bomb costs no more than the cap."""

    #: Bytes taken out of the decompressor at a time.
    STEP = 256 * 1024

    def __init__(self, wbits: int) -> None:
        self._wbits, self._inflate = wbits, zlib.decompressobj(wbits)
        self._size, self._begun = 0, False

    def feed(self, data: bytes, cap: int) -> bytes | None:
        """Return the decompressed bytes; b"" at the end, None where nothing came out yet.

        Raises InvalidResponse for damaged bytes and for an end before the end of the compressed data.
        """
        if not data:
            if self._begun and not self._inflate.eof:
                raise InvalidResponse("the compressed answer is cut off")
            return b""
        self._begun = True
        pieces: list[bytes] = []
        while data:
            piece = self._step(data)
            self._size += len(piece)
            if self._size > cap:
                raise ResponseTooLarge(f"the answer decompresses to more than {cap} bytes")
            pieces.append(piece)
            data = self._inflate.unconsumed_tail or self._inflate.unused_data.lstrip(b"\0")
            if self._inflate.eof and data:
                self._inflate = zlib.decompressobj(self._wbits)  # gzip may consist of several members
        return b"".join(pieces) or None

    def _step(self, data: bytes) -> bytes:
        try:
            return self._inflate.decompress(data, self.STEP)
        except zlib.error:
            if self._wbits != _ZLIB or self._size:
                raise InvalidResponse("the compressed answer is damaged") from None
        # Servers name bare deflate data so, too, without the header that the name promises (RFC 9110, 8.4.1.2).
        self._wbits = -_ZLIB
        self._inflate = zlib.decompressobj(self._wbits)
        return self._step(data)


#: The window of zlib's own format.
_ZLIB: Final = 15


def inflater(encoding: str) -> Inflater | None:
    """Return the decoder of a content encoding, None for plain bytes.

    Raises InvalidResponse for one that was not asked for and is not known.
    """
    encoding = ", ".join(
        one for name in encoding.lower().split(",") if (one := name.strip()) not in ("", "identity")
    )  # fmt: skip
    if not encoding:
        return None
    if encoding in ("gzip", "x-gzip"):
        return Inflater(31)  # 16 + 15: a gzip header, the largest window
    if encoding == "deflate":
        return Inflater(_ZLIB)
    raise InvalidResponse(f"the answer is encoded as {encoding!r} although it was asked for plain")
