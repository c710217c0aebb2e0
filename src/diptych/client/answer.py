"""Bytes of a good answer become a reply, or an error that keeps what had arrived.

Rule: what a server sends decides how it is read, not what it was asked for: events
where it streams, one object where it does not, in either case. Nothing is repaired:
what is torn, empty or not JSON raises.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from ..apis.chat import stream as chat
from ..apis.chat.response import read_response as chat_read
from ..apis.chat.response import write_response as chat_write
from ..apis.completions import stream as completions
from ..apis.completions.response import read_response as completions_read
from ..apis.completions.response import write_response as completions_write
from ..apis.framing import DONE, FRAMINGS
from ..conversion.responses import answers_of
from ..conversion.streams import stream_of
from ..errors import OF_SHAPE, ApiError, ClientError, FormatError, InvalidResponse, StreamIncomplete, StreamInterrupted
from ..model import Message, OtherPart, ToolCall
from ..projection import PAYLOADS, is_old
from ..request import Api
from ..response import Event, Response, Sum
from . import sse
from .deltas import HeldBack
from .errors_of import error_from, find_error, quote
from .frames import FrameDecoder
from .replies import Choice, Delta
from .secret import NOTHING, Secret

_DONE: Final = DONE.encode()
_SCAN: Final[Callable[[str, int], tuple[Any, int]]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
_BOM: Final = b"\xef\xbb\xbf"


class _Decoder(Protocol):
    def feed(self, data: bytes, /) -> list[sse.Event]: ...
    def finish(self) -> list[sse.Event]: ...


class _Readers(NamedTuple):
    """The readers and the writer of an API; ``is_pair`` tells Chat and Completions from the others."""

    read: Callable[[Mapping[str, Any]], Response]
    write: Callable[[Response], tuple[dict[str, Any], Any]]
    events: Callable[[frozenset[str]], Any]
    is_pair: bool = True
    is_answer: Callable[[Mapping[str, Any]], bool] = lambda _: False
    kind: str = "events"


_PAIR: Final = {
    "chat": _Readers(chat_read, chat_write, chat.StreamReader),
    "completions": _Readers(completions_read, completions_write, completions.StreamReader),
}


@lru_cache(maxsize=8)
def _readers(api: str) -> _Readers:
    """Return the readers and the writer of an API; those of other APIs are loaded when they are asked for."""
    if api in _PAIR:
        return _PAIR[api]
    whole, stream = answers_of(api), stream_of(api)
    kind = FRAMINGS[api].kind
    return _Readers(
        whole.read_response, whole.write_response, stream.StreamReader, False, whole.ANSWERS.is_answer, kind
    )


_DECODERS: Final[Mapping[str, Callable[[], _Decoder]]] = {
    "events": sse.Decoder,
    "lines": sse.LineDecoder,
    "binary": FrameDecoder,
}
#: Is called with every chunk of a stream and the events that it makes, before its deltas are handed over.
Tap: TypeAlias = Callable[[Mapping[str, Any], list[Event]], None]
#: Kinds of events that concern no single choice.
_OF_ALL: Final = frozenset({"head", "usage", "error"})


class Answer(NamedTuple):
    """What has arrived: the response, its choices in the shape of Chat, and the body that was or would have been sent.

    ``spells_key`` is true where its pieces together held the API key, in parts that are not the key.
    """

    response: Response
    choices: tuple[Choice, ...]
    body: Mapping[str, Any]
    spells_key: bool = False


class StreamReader:
    """Feed it the bytes of an answer; it gives deltas and knows when the reply is whole.

    A stream is complete when every choice that was asked for has its finish reason; ``[DONE]`` only
    corroborates, since some servers never send it and others send it early.

    >>> reader = StreamReader("completions", 1)
    >>> [d.text for d in reader.feed(b'data: {"choices":[{"text":"Hi","finish_reason":"stop"}]}\\n\\n')]
    ['Hi']
    """

    def __init__(
        self,
        api: Api,
        expected: int,
        key: Secret = NOTHING,
        tools: frozenset[str] = frozenset(),
        tap: Tap | None = None,
    ) -> None:
        self._api, self._expected, self._key, self._tap = _readers(api), expected, key, tap
        self._events = self._api.events(tools)
        self._sum = Sum()
        self._whole: Response | None = None
        self.whole: dict[str, Any] | None = None
        self.done = False  # [DONE] has come
        self.started = False
        self._decoder = _DECODERS[self._api.kind]()
        self._body: list[bytes] | None = None  # set where the answer is no event stream
        self._sniffed = False
        self.ended = False
        self.data = b""  # the body of an answer that is no stream, without the key
        self._held = HeldBack(key) if key.protects else None
        self._head = b""

    @property
    def complete(self) -> bool:
        """True where every choice that was asked for, and every one that came, has finished."""
        choices = self._sum.choices.values()
        if not self._api.is_pair and getattr(self._events, "over", False):
            return True
        return len(choices) >= self._expected and all(choice.finish_reason for choice in choices)

    @property
    def missing(self) -> str:
        """Say what a stream lacks."""
        came = len(self._sum.choices)
        if came < self._expected and all(choice.finish_reason for choice in self._sum.choices.values()):
            return f"the stream ended after {came} of {self._expected} choices: the server may ignore n"
        return "the stream ended before every choice had its finish reason"

    def problem(self) -> str | None:
        """Return what a choice of a complete answer lacks, None where all are whole."""
        for choice in (self._whole or self._sum.response()).choices:
            if self._whole is None and not self._sum.choices[choice.index].begun:
                return f"choice {choice.index} is not whole: it has neither a message nor a text"
            problem = _nameless(choice.message.tool_calls) or (self._api.is_pair and _unknown(choice.message))
            if problem:
                return f"choice {choice.index} is not whole: {problem}"
        return None

    def answer(self) -> Answer:
        """Return what has arrived so far, without the key, which no chunk alone may have held."""
        response = self._whole or self._sum.response()
        choices = tuple(map(Choice.of, response.choices))
        is_plain = self.whole is not None and all(choice.message.is_plain for choice in response.choices)
        if self.whole is not None and (is_plain or not self._key.protects):
            return Answer(response, choices, self.whole)
        body = self._written(response, choices)
        hidden = _mapped(body, self._key.hide) if self._key.protects else body
        if hidden == body:
            return Answer(response, choices, self.whole or body)
        response = self._api.read(hidden)
        return Answer(response, tuple(map(Choice.of, response.choices)), self.whole or hidden, True)

    def _written(self, response: Response, choices: tuple[Choice, ...]) -> dict[str, Any]:
        """Return the body that the server would have sent without streaming."""
        body = self._api.write(response)[0]
        if not self._api.is_pair:
            return body
        for wire, choice in zip(body["choices"], choices, strict=True):
            wire |= {"message": dict(choice.message)} if "message" in wire else {"text": choice.text}
        return body

    @property
    def over(self) -> bool:
        """True where nothing more is to be read: ``[DONE]`` has come."""
        return self.done

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
        if start and (start[:1] in b'{[<"' or start[:4] == b"null") and self._api.kind != "lines":
            self._body = []
        return data if start else b""

    def finish(self) -> list[Delta]:
        """Take the end. Raises InvalidResponse where the answer was no stream and is not JSON."""
        self.ended = True
        if self._body is not None:
            self.data = self._key.hide_bytes(b"".join(self._body))
            return self._take_whole(parse_whole(self.data, self._is_answer))
        return self._take(self._cleaned(self._decoder.finish()), last=True)

    def _is_answer(self, body: Mapping[str, Any]) -> bool:
        return isinstance(body.get("choices"), list) if self._api.is_pair else self._api.is_answer(body)

    def _take_whole(self, body: dict[str, Any]) -> list[Delta]:
        self.started = True
        try:
            self._whole = self._api.read(body)
        except (FormatError, *OF_SHAPE) as error:
            raise InvalidResponse(_said(error, "the answer"), body=shown(self.data)) from None
        self.whole = body
        if failed := _failed_choice(body):
            raise error_from(failed[1], status=_status(failed[1]))
        return [Delta(c.message.text, c.index, c.finish_reason, body) for c in self._whole.choices]

    def _cleaned(self, events: list[sse.Event]) -> list[sse.Event]:
        if not self._key.protects:
            return events
        hide = self._key.hide_bytes
        return [
            event if (data := hide(event.data)) is event.data else sse.Event(event.event, data) for event in events
        ]

    def _take(self, events: list[sse.Event], *, last: bool = False) -> list[Delta]:
        deltas = self._deltas(events, last=last)
        if self._held is None:
            return deltas
        return self._held.take(deltas, last=last or self.done)

    def _deltas(self, events: list[sse.Event], *, last: bool) -> list[Delta]:
        deltas: list[Delta] = []
        for event in events:
            if self.done:
                break
            if event.data[:1] != b"{" and event.data.strip() == _DONE:
                self.done = True
                break
            try:
                chunk = _loads(event.data.decode())
            except (ValueError, RecursionError):
                if last:
                    break  # torn by the end of the stream: the reply then lacks its finish reason
                if event.event == "error":
                    raise self._stated({"message": quote(event.data)}) from None
                raise StreamInterrupted(f"a chunk of the stream is not JSON: {quote(event.data)!r}") from None
            deltas += self._chunk(chunk, event)
        return deltas

    def _chunk(self, chunk: Any, event: sse.Event) -> list[Delta]:
        if not isinstance(chunk, dict):
            if event.event == "error":
                raise self._stated({"message": quote(event.data)})
            raise StreamInterrupted(f"a chunk of the stream is not an object: {quote(event.data)!r}")
        if event.event == "error" or chunk.get("error") or (self._api.is_pair and "choices" not in chunk):
            if found := find_error(chunk):
                raise self._stated(found)
            if event.event == "error":
                raise self._stated({"message": quote(event.data)})
        try:
            events = self._events.feed(chunk)
            if not self._api.is_pair and (stated := next((one for one in events if one.kind == "error"), None)):
                raise self._stated(find_error({"error": stated.value or "?"}) or {"message": "no reason"})
        except (FormatError, *OF_SHAPE) as error:
            self.started = True
            raise StreamInterrupted(_said(error, "a chunk of the stream")) from None
        self.started = True
        if self._tap is not None:
            self._tap(chunk, events)
        if len(events) == 1 and events[0].kind == "text":
            self._sum.add(events[0])
            return [Delta(events[0].text, events[0].choice, None, chunk)]
        deltas = self._add(events, chunk)
        if failed := _failed_choice(chunk):
            raise StreamInterrupted(f"the server broke off choice {failed[0]}: {quote(failed[1]['message'])}")
        return deltas

    def _add(self, events: list[Event], chunk: Mapping[str, Any]) -> list[Delta]:
        """Add up the events of a chunk; return a delta for each of its choices."""
        texts: dict[int, str] = {}
        reasons: dict[int, str] = {}
        for event in events:
            self._sum.add(event)
            if event.kind == "finish":
                reasons[event.choice] = event.text
            if event.kind not in _OF_ALL:
                texts[event.choice] = texts.get(event.choice, "") + (event.text if event.kind == "text" else "")
        return [Delta(text, index, reasons.get(index), chunk) for index, text in texts.items()]

    def _stated(self, found: dict[str, Any]) -> ClientError:
        """Return the error that the server states within its stream."""
        if self.started:
            return StreamInterrupted(f"the server broke off: {quote(found['message'])}")
        error: ApiError = error_from(found, status=_status(found))
        return error


def _loads(text: str) -> Any:
    """Return the value of JSON text, without what ``json.loads`` does around its scanner: a third of the time."""
    try:
        value, end = _SCAN(text, 0)
    except StopIteration:
        end = -1
    return value if end == len(text) else json.loads(text)


def _failed_choice(body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
    """Return the first choice that states an error in place of its end, and the parts of the error."""
    for position, choice in enumerate(body.get("choices") or ()):
        if choice.get("error") and (found := find_error({"choices": [], "error": choice["error"]})):
            return position, found
        if choice.get("finish_reason") == "error":
            return position, {"message": "its finish reason is 'error'"}
    return None


def _status(found: dict[str, Any]) -> int:
    code = found.get("code")
    return code if isinstance(code, int) and 400 <= code < 600 else 200


def _has_choices(body: Mapping[str, Any]) -> bool:
    return isinstance(body.get("choices"), list)


def parse_whole(body: bytes, is_answer: Callable[[Mapping[str, Any]], bool] = _has_choices) -> dict[str, Any]:
    """Return the object of a whole answer.

    Raises ApiError where it states an error under status 200, else InvalidResponse
    where it is not what the API promises.

    >>> parse_whole(b'{"choices": []}')
    {'choices': []}
    """
    try:
        value = json.loads(body.removeprefix(_BOM).decode())
    except (ValueError, RecursionError):
        raise InvalidResponse(f"the answer is not JSON: {quote(body)!r}", body=shown(body)) from None
    if not (isinstance(value, dict) and is_answer(value)) and (found := find_error(value)):
        raise error_from(found, status=_status(found))
    if isinstance(value, dict) and value.get("error") and (found := find_error({"error": value["error"]})):
        raise error_from(found, status=_status(found))
    if not isinstance(value, dict) or not is_answer(value):
        raise InvalidResponse(f"the answer holds no choices: {quote(body)!r}", body=shown(body))
    return value


def check_complete(reader: StreamReader, *, streamed: bool) -> None:
    """Raise StreamIncomplete where a stream ended before every choice had finished.

    Raises InvalidResponse, or StreamInterrupted for a stream, where a choice or a call lacks what makes it one.
    """
    if reader.whole is not None or reader.complete:
        if problem := reader.problem():
            if reader.whole is not None:
                raise InvalidResponse(problem, body=shown(reader.data))
            raise StreamInterrupted(problem)
        return
    if not reader.started:
        if not streamed:
            raise InvalidResponse("the answer is empty")
        raise StreamIncomplete(
            "the stream ended without a single chunk", hint="some servers answer so to a prompt that is too long"
        )
    raise StreamIncomplete(reader.missing)


def _nameless(calls: tuple[ToolCall, ...]) -> str | None:
    """Return which call lacks its name; a call of a server's own type has none."""
    for number, call in enumerate(calls):
        if not call.name and call.type in PAYLOADS:
            return "its function call has no name" if is_old(call) else f"tool call {number} has no name"
    return None


#: Parts of a content that servers of Chat send beside those that all readers know: OpenAI's, and Mistral's.
_FURTHER: Final = frozenset({"refusal", "thinking", "reasoning", "reference"})


def _unknown(message: Message) -> str | None:
    """Return which part of a message nobody knows how to read."""
    for part in message.parts:
        if isinstance(part, OtherPart) and part.value.get("type") not in _FURTHER:
            return f"its content has a part of the unknown type {str(part.value.get('type'))[:80]!r}"
    return None


def _said(error: Exception, what: str) -> str:
    """Return what is wrong with a value that a server sent, also where no reader has foreseen it."""
    return error.message if isinstance(error, FormatError) else f"{what} is malformed: {type(error).__name__}"


def shown(body: bytes) -> str:
    """Return a body as text, for an error that keeps it."""
    return body.decode("utf-8", "replace")


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """Return a JSON value with every string changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _mapped(inner, change) for name, inner in value.items()}
    return [_mapped(inner, change) for inner in value] if isinstance(value, list) else value
