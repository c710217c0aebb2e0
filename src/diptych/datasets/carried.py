"""What an example says that the layout it is written in has no place for: one place tells it.

Rule: a writer writes the fields that its format ``carries``; this module tells of all others.
A worse answer, an id or a parameter is dropped; a bad answer is never taught as a good one,
and a question without an answer teaches nothing, so both are refused. So is a row that would be
trained on without what it says of single messages: ``weight`` 0, or whether a step is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..format import Format
from ..loss import Loss, Severity
from ..model import Example, Message
from .rows import border_kept


def not_carried(example: Example, entry: Format) -> Iterator[Loss]:
    """Yield a loss for each field of an example that the format does not carry."""
    trains = _trains(entry)
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


def _trains(entry: Format) -> bool:
    return entry.kind == "dataset" and not entry.asks


def unkept(example: Example, entry: Format, read: Iterable[Loss], written: Iterable[Loss]) -> Iterator[Loss]:
    """Yield a refused loss for each judgement of messages that a row to be trained on does not hold.

    ``read`` and ``written`` are the losses of reading and of writing it.
    """
    if not _trains(entry):
        return
    lost = [loss.path for loss in written if loss.severity > Severity.EXACT]
    for place, messages in (("$.messages", example.messages), ("$.rejected", example.rejected or ())):
        for index, message in enumerate(messages):
            for name in _judged(message):
                if any(_covers(path, f"{place}[{index}].{name}") for path in lost):
                    yield Loss(f"{place}[{index}].{name}", "unsupported", "this layout does not say that of a message")
    if "$.answer" in lost and any(loss.kind == "renamed" and loss.path.endswith(".weight") for loss in read):
        yield Loss("$.answer", "unsupported", "messages of weight 0 stand before the answer, and would be taught")


def _judged(message: Message) -> list[str]:
    """Return the fields that say of a message that it is not to be learnt, or whether it is right."""
    weight, label = message.extra.get("weight"), message.extra.get("label")
    return [*(["weight"] if weight is not None and not weight else []), *(["label"] if isinstance(label, bool) else [])]


def _covers(path: str, place: str) -> bool:
    return place == path or place.startswith((f"{path}.", f"{path}["))
