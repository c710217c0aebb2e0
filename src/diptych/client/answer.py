"""Bytes of a good answer become a reply, or an error that keeps what had arrived.

Rule: what a server sends decides how it is read, not what it was asked for: events
where it streams, one object where it does not, in either case. Nothing is repaired:
what is torn, empty or not JSON raises.
"""

from __future__ import annotations

import json
from typing import Any, Final

from ..errors import ApiError, ClientError, InvalidResponse, StreamIncomplete, StreamInterrupted
from .accumulate import Accumulator
from .errors_of import error_from, find_error, quote
from .replies import Api, Delta
from .secret import NOTHING, Secret
from .sse import Decoder, Event

_DONE: Final = b"[DONE]"
_BOM: Final = b"\xef\xbb\xbf"


class StreamReader:
    """Feed it the bytes of an answer; it gives deltas and knows when the reply is whole.

    >>> reader = StreamReader("completions", 1)
    >>> [d.text for d in reader.feed(b'data: {"choices":[{"text":"Hi","finish_reason":"stop"}]}\\n\\n')]
    ['Hi']
    """

    def __init__(self, api: Api, expected: int, key: Secret = NOTHING, tools: frozenset[str] = frozenset()) -> None:
        self.sum = Accumulator(api, expected, key, tools)
        self._key = key
        self.whole: dict[str, Any] | None = None
        self._decoder = Decoder()
        self._body: list[bytes] | None = None  # set where the answer is no event stream
        self._sniffed = False
        self.ended = False
        self._head = b""

    @property
    def over(self) -> bool:
        """True where nothing more is to be read: ``[DONE]`` has come."""
        return self.sum.done

    def feed(self, data: bytes | None) -> list[Delta]:
        """Take bytes (b"" is the end, None nothing yet), return deltas.

        Raises StreamInterrupted, ApiError, ResponseTooLarge.
        """
        if not data:
            return [] if data is None else self.finish()
        if not self._sniffed:
            data = self._sniff(self._head + data)
        if self._body is not None:
            self._body.append(data)
            return []
        events = self._cleaned(self._decoder.feed(data))
        del data  # an error from here shows no bytes as they came, not even its frames
        return self._take(events)

    def _sniff(self, data: bytes) -> bytes:
        """Find out at the first bytes that are no space whether they begin events; until then hold them back."""
        start = data.removeprefix(_BOM).lstrip()
        self._sniffed, self._head = bool(start), b"" if start else data
        # No field of an event stream begins with these.
        if start and (start[:1] in b'{[<"' or start[:4] == b"null"):
            self._body = []
        return data if start else b""

    def finish(self) -> list[Delta]:
        """Take the end. Raises InvalidResponse where the answer was no stream and is not JSON."""
        self.ended = True
        if self._body is not None:
            self.whole = parse_whole(self._key.hide_bytes(b"".join(self._body)))
            deltas = self.sum.add(self.whole, whole=True)
            if failed := _failed_choice(self.whole):
                raise error_from(failed[1], status=_status(failed[1]))
            return deltas
        return self._take(self._cleaned(self._decoder.finish()), last=True)

    def _cleaned(self, events: list[Event]) -> list[Event]:
        return [Event(event.event, self._key.hide_bytes(event.data)) for event in events]

    def _take(self, events: list[Event], *, last: bool = False) -> list[Delta]:
        deltas: list[Delta] = []
        for event in events:
            if self.sum.done:
                break
            if event.data == _DONE or event.data.strip() == _DONE:
                self.sum.done = True
                break
            try:
                chunk = json.loads(event.data.decode())
            except (ValueError, RecursionError):
                if last:
                    break  # torn by the end of the stream: the reply then lacks its finish reason
                if event.event == "error":
                    raise self._stated({"message": quote(event.data)}) from None
                raise StreamInterrupted(f"a chunk of the stream is not JSON: {quote(event.data)!r}") from None
            deltas += self._chunk(chunk, event)
        return deltas

    def _chunk(self, chunk: Any, event: Event) -> list[Delta]:
        if not isinstance(chunk, dict):
            if event.event == "error":
                raise self._stated({"message": quote(event.data)})
            raise StreamInterrupted(f"a chunk of the stream is not an object: {quote(event.data)!r}")
        if event.event == "error" or chunk.get("error") or "choices" not in chunk:
            if found := find_error(chunk):
                raise self._stated(found)
            if event.event == "error":
                raise self._stated({"message": quote(event.data)})
        try:
            deltas = self.sum.add(chunk)
        except InvalidResponse as error:
            raise StreamInterrupted(error.message) from None
        if failed := _failed_choice(chunk):
            raise StreamInterrupted(f"the server broke off choice {failed[0]}: {quote(failed[1]['message'])}")
        return deltas

    def _stated(self, found: dict[str, Any]) -> ClientError:
        """Return the error that the server states within its stream."""
        if self.sum.started:
            return StreamInterrupted(f"the server broke off: {quote(found['message'])}")
        error: ApiError = error_from(found, status=_status(found))
        return error


def _failed_choice(body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
    """Return the first choice that states an error in place of its end, and the parts of the error."""
    for position, choice in enumerate(body.get("choices") or ()):
        if found := find_error({"choices": [], "error": choice.get("error")}):
            return position, found
        if choice.get("finish_reason") == "error":
            return position, {"message": "its finish reason is 'error'"}
    return None


def _status(found: dict[str, Any]) -> int:
    code = found.get("code")
    return code if isinstance(code, int) and 400 <= code < 600 else 200


def parse_whole(body: bytes) -> dict[str, Any]:
    """Return the object of a whole answer.

    Raises ApiError where it states an error under status 200, else InvalidResponse
    where it is not what the API promises.

    >>> parse_whole(b'{"choices": []}')
    {'choices': []}
    """
    try:
        value = json.loads(body.removeprefix(_BOM).decode())
    except (ValueError, RecursionError):
        raise InvalidResponse(f"the answer is not JSON: {quote(body)!r}") from None
    if isinstance(value, dict) and (found := find_error(value)):
        raise error_from(found, status=_status(found))
    if not isinstance(value, dict) or not isinstance(value.get("choices"), list):
        raise InvalidResponse(f"the answer holds no choices: {quote(body)!r}")
    return value


def check_complete(reader: StreamReader, *, streamed: bool) -> None:
    """Raise StreamIncomplete where a stream ended before every choice had finished.

    Raises InvalidResponse, or StreamInterrupted for a stream, where a choice or a call lacks what makes it one.
    """
    if reader.whole is not None or reader.sum.complete:
        if problem := reader.sum.problem():
            raise InvalidResponse(problem) if reader.whole is not None else StreamInterrupted(problem)
        return
    if not reader.sum.started:
        if not streamed:
            raise InvalidResponse("the answer is empty")
        raise StreamIncomplete(
            "the stream ended without a single chunk", hint="some servers answer so to a prompt that is too long"
        )
    raise StreamIncomplete("the stream ended before every choice had its finish reason")
