"""What an example says that the layout it is written in has no place for: one place tells it.

Rule: a writer writes the fields that its format ``carries``; this module tells of all others.
A worse answer, an id or a parameter is dropped; a bad answer is never taught as a good one,
and a question without an answer teaches nothing, so both are refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..loss import Loss
from ..model import Example
from .base import Format
from .rows import border_kept


def not_carried(example: Example, entry: Format) -> Iterator[Loss]:
    """Yield a loss for each field of an example that the format does not carry."""
    trains = entry.kind == "dataset" and not entry.asks
    if trains and (example.answer == len(example.messages) or not any(m.role == "assistant" for m in example.messages)):
        yield Loss("$.answer", "unsupported", "the row asks and holds no answer to learn")
    if example.rejected is not None and "rejected" not in entry.carries:
        yield Loss("$.rejected", "field-dropped", f"a worse answer of {len(example.rejected)} messages has no place")
    if example.label is not None and "label" not in entry.carries:
        if trains and not example.label:
            yield Loss("$.label", "unsupported", "the answer is a bad one, and this layout would teach it")
        else:
            yield Loss("$.label", "field-dropped", f"that the answer is {'good' if example.label else 'bad'}")
    if example.id is not None and "id" not in entry.carries:
        yield Loss("$.custom_id", "field-dropped", f"{example.id!r} has no place")
    for name in example.request:
        if "request" not in entry.carries and f"request.{name}" not in entry.carries:
            yield Loss(f"$.body.{name}", "parameter-dropped", "no place for parameters of a request")
    if "answer" not in entry.carries:
        yield from border_kept(example)
