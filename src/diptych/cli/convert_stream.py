"""A recorded stream in a file: server-sent events or JSON lines in, the framing of the target out.

Rule: nothing here knows what an event means; ``convert_stream`` does. Server-sent events are written for
the APIs that send them, each with its own end and event names, and JSON lines for the others.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..apis.framing import DONE, FRAMINGS, framed
from ..client.sse import Decoder
from ..errors import FormatError
from ..policy import LossWarning, OnLoss

#: What begins so is a stream of server-sent events: other lines of an event, and data that is JSON.
_SSE: Final = re.compile(r"\ufeff?\s*(?:(?:event|id|retry)?:[^\n]*\n\s*)*data: ?(?:\{|\[DONE)")


def is_stream(text: str) -> bool:
    """Say whether a text is a recorded stream of server-sent events.

    >>> is_stream('event: ping\\ndata: {}'), is_stream('data: {}'), is_stream('data: today')
    (True, True, False)
    """
    return _SSE.match(text) is not None


def read_events(text: str) -> list[Any]:
    """Return the decoded events of a recorded stream. Raises FormatError with the number of a broken one.

    >>> read_events('data: {"a": 1}\\n\\ndata: [DONE]\\n\\n'), read_events('{"a": 1}\\n{"a": 2}\\n')
    ([{'a': 1}], [{'a': 1}, {'a': 2}])
    """
    if is_stream(text):
        decoder = Decoder()
        data = [event.data.decode("utf-8", "replace") for event in (*decoder.feed(text.encode()), *decoder.finish())]
    else:
        data = [line for line in text.splitlines() if line.strip()]
    return [_decoded(item, number) for number, item in enumerate(data) if item.strip() != DONE]


def _decoded(item: str, number: int) -> Any:
    try:
        return json.loads(item)
    except ValueError as error:
        raise FormatError(f"event {number + 1} is not valid JSON: {error}", path=f"$[{number}]") from None


def shown(events: Iterable[Mapping[str, Any]], api: str) -> str:
    """Return the text of a stream as the server of an API sends it; binary frames are shown as JSON lines.

    >>> shown([{"type": "ping"}], "anthropic")
    'event: ping\\ndata: {"type": "ping"}\\n\\n'
    """
    is_binary = FRAMINGS[api].kind == "binary"
    return b"".join(framed(events, "ollama" if is_binary else api)).decode()


def convert_recorded(text: str, source: str, target: str, on_loss: OnLoss) -> tuple[list[Any], list[str]]:
    """Return the events of a recorded stream for another API, and what is to be said of losses."""
    from ..conversion.streams import convert_stream

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", LossWarning)
        events = list(convert_stream(read_events(text), to=target, source=source, on_loss=on_loss))
    return events, [str(found.message) for found in caught if issubclass(found.category, LossWarning)]
