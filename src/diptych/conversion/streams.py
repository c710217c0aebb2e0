"""Streams of any message API in, of any other out, event by event.

Rule: an iterator of decoded events in, an iterator out, nothing held back but what the target needs
whole. Each event becomes neutral events, and each of these events of the target. Added up, a converted
stream is the converted whole. Nothing follows an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import FormatError
from ..loss import Loss
from ..policy import OnLoss, settle
from .responses import module_of, modules


def convert_stream(
    chunks: Iterable[Mapping[str, Any]],
    *,
    to: str,
    source: str = "auto",
    request: Mapping[str, Any] | None = None,
    on_loss: OnLoss = "raise",
) -> Iterator[dict[str, Any]]:
    """Convert the decoded events of a stream to another message API.

    ``to`` and ``source`` name APIs, as for :func:`~diptych.convert_response`. ``request`` is the
    request of the target API that is being answered: its ``echo`` counts. Raises LossError for what
    the target cannot say, with the number of the event in its path (``$[3].delta``), FormatError for
    what is no event of a stream.

    >>> chunk = {"choices": [{"index": 0, "text": "Hi", "finish_reason": "stop"}]}
    >>> [c["choices"][0]["delta"] for c in convert_stream([chunk], to="chat")]
    [{'role': 'assistant', 'content': ''}, {'content': 'Hi'}, {}]
    """
    _, module = module_of(to, "stream")
    return _converted(iter(chunks), module.StreamWriter(request), source, on_loss)


def _converted(chunks: Iterator[Any], writer: Any, source: str, on_loss: OnLoss) -> Iterator[dict[str, Any]]:
    reader: Any = None
    for number, chunk in enumerate(chunks):
        if not isinstance(chunk, Mapping):
            raise FormatError("an event of a stream is an object", path=f"$[{number}]")
        reader = reader or _reader_of(chunk, source, number)
        for event in reader.feed(chunk):
            written = writer.feed(event)
            if writer.losses:
                settle([_placed(loss, chunk, event.text, number) for loss in writer.losses], on_loss)
                writer.losses.clear()
            yield from written
            if event.kind == "error":
                return
    written = writer.finish()
    if writer.losses:
        settle([loss._replace(path="$") for loss in writer.losses], on_loss)
    yield from written


def _placed(loss: Loss, chunk: Mapping[str, Any], text: str, number: int) -> Loss:
    """Return a loss with its path in the stream: where its field, or else its text, stands in the event."""
    if loss.path != "$" and (path := _found(chunk, loss.path, text)):
        return loss._replace(path=f"$[{number}]{path[1:]}")
    path = next((path for path, value in _paths(chunk, "$") if text and value == text), "$")
    return loss._replace(path=f"$[{number}]{path[1:]}")


def _found(chunk: Mapping[str, Any], path: str, text: str) -> str | None:
    """Return a path that is in the event, else that of the field of its name."""
    paths = [path for path, _ in _paths(chunk, "$")]
    name = path.rpartition(".")[2].partition("[")[0]
    by_name = (other for other in paths if other.endswith(f".{name}"))
    return path if path in paths else next(by_name, None) or (path if not text else None)


def _paths(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield everything inside a value with its path."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        inner = f"{path}[{key}]" if isinstance(value, list) else f"{path}.{key}"
        yield inner, item
        yield from _paths(item, inner)


def _reader_of(chunk: Mapping[str, Any], source: str, number: int) -> Any:
    """Return a reader for the API that an event is of."""
    if source != "auto":
        return module_of(source, "stream")[1].StreamReader()
    module = next((module for module in modules("stream").values() if module.is_chunk(chunk)), None)
    if module is None and chunk.keys() & {"choices", "usage", "error"}:
        module = modules("stream")["chat"]
    if module is None:
        raise FormatError("the API of a stream is not recognised", path=f"$[{number}]", hint="name it: source=…")
    return module.StreamReader()
