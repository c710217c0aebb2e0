"""Streams of either API in, of either API out, chunk by chunk.

Rule: an iterator in, an iterator out, nothing held back: each chunk becomes events, and each event
becomes chunks. Added up, a converted stream is the converted whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ...errors import FormatError
from ...loss import Loss
from ...policy import OnLoss, settle
from ..chat import stream as chat
from ..chunks import ChunkWriter
from . import stream as completions
from .convert_request import Target

_WRITERS: Final[dict[str, type[ChunkWriter]]] = {"chat": chat.StreamWriter, "completions": completions.StreamWriter}


def convert_stream(
    chunks: Iterable[Mapping[str, Any]],
    *,
    to: Target,
    request: Mapping[str, Any] | None = None,
    on_loss: OnLoss = "raise",
) -> Iterator[dict[str, Any]]:
    """Convert the chunks of a stream to the other API.

    ``request`` is the request of the target API that is being answered: its ``echo``
    counts. Raises LossError for what the target cannot say, FormatError for a chunk
    without choices.

    >>> chunk = {"choices": [{"index": 0, "text": "Hi", "finish_reason": "stop"}]}
    >>> [c["choices"][0]["delta"] for c in convert_stream([chunk], to="chat")]
    [{'role': 'assistant', 'content': ''}, {'content': 'Hi'}, {}]
    """
    if to not in _WRITERS:
        raise FormatError(f"there is no API {to!r}", hint="to='chat' or to='completions'")
    writer = _WRITERS[to](request)
    reader: chat.StreamReader | None = None
    failed = False
    for number, chunk in enumerate(chunks):
        if not isinstance(chunk, Mapping) or not chunk.keys() & {"choices", "usage", "error"}:
            raise FormatError("a chunk has a list of choices", path=f"$[{number}].choices")
        reader = reader or _reader_of(chunk)
        for event in reader.feed(chunk):
            failed = failed or event.kind == "error"
            written = writer.feed(event)
            if writer.losses:
                settle([Loss(f"$[{number}]{path[1:]}", *rest) for path, *rest in writer.losses], on_loss)
                writer.losses.clear()
            yield from written
    if not failed:  # nothing follows an error
        yield from writer.finish()


def _reader_of(chunk: Mapping[str, Any]) -> chat.StreamReader:
    """Return a reader for the API that a chunk is of."""
    choices = [choice for choice in chunk.get("choices") or () if isinstance(choice, Mapping)]
    return completions.StreamReader() if any("text" in choice for choice in choices) else chat.StreamReader()
