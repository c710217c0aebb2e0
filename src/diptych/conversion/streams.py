"""Streams of every message API in, of any other out, event by event.

Rule: an iterator in, an iterator out, nothing held back that the target can say at once: each decoded
event of the source becomes neutral events, and each of those what the target makes of it. Added up, a
converted stream is the converted whole. An error is passed on, and nothing follows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any, Final, Protocol

from ..apis.failures import restated
from ..apis.heads import OBJECTS
from ..errors import FormatError, malformed
from ..loss import Loss
from ..model import EMPTY, OtherPart
from ..policy import OnLoss, settle
from ..response import Event
from ..suggest import suggest
from .responses import answering

#: What the first events of a stream tell it by.
_ANTHROPIC: Final = frozenset({
    "message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
    "message_stop", "ping",
})  # fmt: skip
_BEDROCK: Final = frozenset({
    "messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata",
})  # fmt: skip
_GEMINI: Final = frozenset({"candidates", "usageMetadata", "promptFeedback", "usage_metadata", "prompt_feedback"})


class _Reader(Protocol):
    def feed(self, event: Mapping[str, Any], /) -> list[Event]: ...


class EventWriter(Protocol):
    """What writes a stream: neutral events in, those of an API out, ``losses`` beside them."""

    losses: list[Loss]

    def feed(self, event: Event, /) -> list[dict[str, Any]]:
        """Take an event; return what it makes."""

    def finish(self) -> list[dict[str, Any]]:
        """Return what ends the stream."""


@lru_cache(maxsize=1)
def streaming() -> dict[str, ModuleType]:
    """Return the module of every API that reads and writes streams, by the API's name."""
    return {name: import_module(f"diptych.apis.{name}.stream") for name in answering()}


def stream_of(api: str) -> ModuleType:
    """Return the module that reads and writes the streams of an API. Raises FormatError for an unknown one."""
    if found := streaming().get(api):
        return found
    raise FormatError(f"there is no API {api!r}", hint=suggest(api, streaming()))


def convert_stream(
    chunks: Iterable[Mapping[str, Any]],
    *,
    to: str,
    source: str = "auto",
    request: Mapping[str, Any] | None = None,
    on_loss: OnLoss = "raise",
) -> Iterator[dict[str, Any]]:
    """Convert the decoded events of a stream to those of another message API.

    ``to`` and ``source`` are names of APIs, as for :func:`convert_response`; ``request`` is the
    request of the target API that is being answered: its ``echo`` counts. Raises LossError for what
    the target cannot say, FormatError for an event that no API sends.

    >>> chunk = {"choices": [{"index": 0, "text": "Hi", "finish_reason": "stop"}]}
    >>> [c["choices"][0]["delta"] for c in convert_stream([chunk], to="chat")]
    [{'role': 'assistant', 'content': ''}, {'content': 'Hi'}, {}]
    >>> [event["type"] for event in convert_stream([chunk], to="anthropic")][:3]
    ['message_start', 'content_block_start', 'content_block_delta']
    """
    reader: _Reader | None = None
    writer: EventWriter = stream_of(to).StreamWriter(request)
    for number, chunk in enumerate(chunks):
        if reader is None:
            source = api_of_chunk(chunk, number) if source == "auto" else source
            reader, writer = stream_of(source).StreamReader(), writer_of(to, source, request)
        with malformed("an event of the stream"):
            events = [*reader.feed(chunk)]
        for event in events:
            if event.kind == "error":
                yield from _failed(writer, event, chunk, source, to)
                _settle(writer, number, on_loss)  # what the server said comes first
                return  # nothing follows an error
            with malformed("an event of the stream"):
                written = writer.feed(event)
            _settle(writer, number, on_loss)
            yield from written
    yield from writer.finish()
    _settle(writer, None, on_loss)


def _failed(writer: EventWriter, event: Event, chunk: Mapping[str, Any], source: str, to: str) -> list[dict[str, Any]]:
    """Return what an error in a stream makes, stated as the target states it."""
    error, lost = restated(event.value, source, to)
    exception = next((name for name in chunk if name.endswith("Exception")), "")
    at = ".error" if "error" in chunk else f".{exception}" if exception else ".response.error" * ("response" in chunk)
    writer.losses += [one._replace(path=f"${at}{one.path[1:]}") for one in lost]
    return writer.feed(event._replace(value=error))


def writer_of(to: str, source: str, request: Mapping[str, Any] | None = None) -> EventWriter:
    """Return what writes the events that the reader of ``source`` makes as a stream of ``to``.

    >>> writer_of("completions", "anthropic").feed(Event("text", text="Hi"))[0]["choices"][0]["text"]
    'Hi'
    """
    writer: EventWriter = stream_of(to).StreamWriter(request)
    return AsChat(writer) if to in OBJECTS and source not in OBJECTS else writer


def _settle(writer: EventWriter, number: int | None, on_loss: OnLoss) -> None:
    if writer.losses:
        root = "$" if number is None else f"$[{number}]"
        settle([Loss(f"{root}{path[1:]}", *rest) for path, *rest in writer.losses], on_loss)
        writer.losses.clear()


def api_of_chunk(chunk: Any, number: int = 0) -> str:
    """Return the API that an event of a stream is of. Raises FormatError where none sends it.

    >>> api_of_chunk({"type": "message_start"}), api_of_chunk({"candidates": []})
    ('anthropic', 'gemini')
    """
    if isinstance(chunk, Mapping):
        for name, is_of in _DETECTED:
            if is_of(chunk):
                return name
    raise FormatError("a chunk has a list of choices", path=f"$[{number}].choices")


def _is_completions(chunk: Mapping[str, Any]) -> bool:
    choices = chunk.get("choices")
    return isinstance(choices, list) and any(isinstance(one, Mapping) and "text" in one for one in choices)


_DETECTED: Final = (
    ("completions", _is_completions),
    ("chat", lambda chunk: "choices" in chunk),
    ("responses", lambda chunk: str(chunk.get("type")).startswith("response.")),
    ("anthropic", lambda chunk: chunk.get("type") in _ANTHROPIC or (chunk.get("type") == "error" and "error" in chunk)),
    ("gemini", lambda chunk: bool(_GEMINI & chunk.keys())),
    ("bedrock", lambda chunk: bool(_BEDROCK & chunk.keys())),
    ("ollama", lambda chunk: "message" in chunk and "done" in chunk),
    ("responses", lambda chunk: chunk.get("type") == "error"),
    ("chat", lambda chunk: bool(chunk.keys() & {"usage", "error"})),
)


class AsChat:
    """Gives a writer of Chat or Completions what it can say of the stream of another API, and tells the rest."""

    def __init__(self, writer: EventWriter) -> None:
        self._writer = writer
        self.losses = writer.losses
        self._told: set[tuple[str, str]] = set()
        self._reasoning: int | None = None
        self._calls: set[int] = set()

    def feed(self, event: Event) -> list[dict[str, Any]]:
        """Take an event; return the chunks that it makes."""
        kind = event.kind
        if kind == "head":
            return self._head(event)
        if kind in ("more", "other"):
            self._lose_fields(event.value)
            return []
        if kind == "part" and isinstance(event.value, OtherPart):
            self._lose("field-dropped", f"a part of {event.value.api}")
            return []
        if kind == "usage":
            return self._writer.feed(event._replace(value=_counted(event.value)))
        if kind == "part":
            self._lose("media-dropped", f"a {type(event.value).__name__}")
            return []
        return self._writer.feed(self._piece(event))

    def _piece(self, event: Event) -> Event:
        if event.kind == "call":
            self._calls.add(event.choice)
            self._lose_fields({name: value for name, value in (event.value or {}).items() if name != "type"})
            value = {"type": event.value["type"]} if event.value and "type" in event.value else None
            return event._replace(value=value)
        if event.kind == "reasoning":
            before, self._reasoning = self._reasoning, event.call
            text = f"\n{event.text}" if before not in (None, event.call) else event.text
            return event._replace(text=text, name=None, call=0)
        if event.kind == "text":
            if event.text and event.choice in self._calls:
                self._lose("reordered", "the text stands before the calls")
            return event._replace(call=0)
        return event

    def _head(self, event: Event) -> list[dict[str, Any]]:
        known = {name: value for name, value in event.value.items() if name in ("id", "model", "created")}
        self._lose_fields({name: value for name, value in event.value.items() if name not in known})
        return self._writer.feed(event._replace(value=known, name=None)) if known else []

    def _lose_fields(self, fields: Mapping[str, Any]) -> None:
        for name, value in fields.items():
            if value not in (None, "", EMPTY) and value != {} and value != [] and not name.startswith("diptych:"):
                self._lose("field-dropped", f"{name} has no place in Chat")

    def _lose(self, kind: str, detail: str) -> None:
        if (kind, detail) not in self._told:
            self._told.add((kind, detail))
            self.losses.append(Loss("$", kind, detail))

    def finish(self) -> list[dict[str, Any]]:
        """Return what is left at the end."""
        return self._writer.finish()


def _counted(usage: Any) -> Any:
    return replace(usage, server=None)
