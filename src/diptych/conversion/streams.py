"""Streams of every message API in, of any other out, event by event.

Rule: an iterator in, an iterator out, nothing held back that the target can say at once: each decoded
event of the source becomes neutral events, and each of those what the target makes of it. Added up, a
converted stream is the converted whole. An error is passed on, and nothing follows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol

from ..apis.chunks import AsChunks, FromChunks
from ..apis.failures import restated
from ..apis.heads import OBJECTS
from ..apis.marks import api_of_event
from ..apis.writers import Report
from ..errors import FormatError, malformed
from ..loss import Loss
from ..policy import OnLoss, settle
from ..response import Event
from ..suggest import suggest
from .responses import answering


class EventWriter(Protocol):
    """What writes a stream: neutral events in, those of an API out, ``losses`` beside them.

    ``report`` collects the losses; its ``number`` is that of the chunk being converted.
    """

    report: Report
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
    writer: EventWriter | None = None
    reader = None if source == "auto" else stream_of(source).StreamReader()
    guard = malformed("an event of the stream")
    for number, chunk in enumerate(chunks):
        if reader is None:
            source = api_of_chunk(chunk, number)
            reader = stream_of(source).StreamReader()
        if writer is None:
            writer = _Same() if source == to else writer_of(to, source, request)
        writer.report.number = number
        failed = False
        with guard:
            events = [*reader.feed(chunk)]
        for event in events:
            failed = event.kind == "error"
            if failed:
                event = _restated(writer.report, event, chunk, source, to)
            with guard:
                written = writer.feed(event)
            if failed:
                yield from written  # what the server said comes before what is lost of it
            if writer.report.losses:
                settle(writer.report.taken(), on_loss)
            if failed:
                break
            yield from written
        if isinstance(writer, _Same):
            yield dict(chunk)
        if failed:
            return  # nothing follows an error
    if writer is not None:
        written = writer.finish()
        settle(writer.report.taken(), on_loss)
        yield from written


def writer_of(to: str, source: str, request: Mapping[str, Any] | None = None) -> EventWriter:
    """Return what writes the events that the reader of ``source`` makes as a stream of ``to``.

    >>> writer_of("completions", "anthropic").feed(Event("text", text="Hi"))[0]["choices"][0]["text"]
    'Hi'
    """
    writer = stream_of(to).StreamWriter(request)
    if to in OBJECTS:
        writer = FromChunks(writer) if source in OBJECTS else AsChunks(writer)
    if source not in OBJECTS:
        answers = stream_of(source).ANSWERS
        writer.report.names = {row.to: row.path for row in answers.head}
        writer.report.counts = answers.counts
    found: EventWriter = writer
    return found


class _Same:
    """Stands for the writer of a stream that stays as it is: its chunks are passed on."""

    def __init__(self) -> None:
        self.report = Report()
        self.losses = self.report.losses

    def feed(self, event: Event) -> list[dict[str, Any]]:  # it is read to see an error
        return []

    def finish(self) -> list[dict[str, Any]]:
        return []


def _restated(report: Report, event: Event, chunk: Mapping[str, Any], source: str, to: str) -> Event:
    """Return the event of an error as the target states it."""
    error, lost = restated(event.value, source, to)
    exception = next((name for name in chunk if name.endswith("Exception")), "")
    at = ".error" if "error" in chunk else f".{exception}" if exception else ".response.error" * ("response" in chunk)
    for path, kind, detail in lost:
        report.lose(kind, Event("error", at=f"{at}{path[1:]}"), detail=detail)
    return event._replace(value=error)


def api_of_chunk(chunk: Any, number: int = 0) -> str:
    """Return the API that an event of a stream is of. Raises FormatError where none sends it.

    >>> api_of_chunk({"type": "message_start"}), api_of_chunk({"candidates": []})
    ('anthropic', 'gemini')
    """
    if isinstance(chunk, Mapping) and (found := api_of_event(chunk)):
        return found
    raise FormatError("a chunk has a list of choices", path=f"$[{number}].choices")
