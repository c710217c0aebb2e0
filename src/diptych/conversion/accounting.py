"""Loss accounting: every value that goes in comes out, or is reported as a loss with its path.

The engine keeps this promise, whatever a format's own reader and writer report. What is read is
written again by the same format and compared with the value, leaf by leaf; what is written is
read again and compared with the conversation. A difference that the format has not reported
becomes a loss.

Two leaves are the same under these rules, and no others: absent, null and empty are one; a text
is one text part; two JSON texts are equal as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any, Final

from ..apis.proof import differences
from ..errors import FormatError
from ..format import Format
from ..loss import Loss
from ..model import EMPTY, Conversation, ReasoningPart, ToolCall, thaw

_TEXTS: Final = ("text", "input_text", "output_text")


def accounted(entry: Format) -> Format:
    """Return a format whose reader and writer report what they leave out; both are needed to tell."""
    if entry.read is None or entry.write is None or entry.api is not None or isinstance(entry.read, Reader):
        return entry
    return replace(entry, read=Reader(entry), write=Writer(entry))


@dataclass(frozen=True, slots=True)
class Reader:
    """The reader of a format, proved by writing the conversation again."""

    entry: Format

    def __call__(self, value: Any) -> tuple[Conversation, tuple[Loss, ...]]:
        """Read a value; what would not come back is a loss."""
        assert self.entry.read is not None
        conversation, told = self.entry.read(value)
        return conversation, (*told, *uncovered(self._lost(value, conversation), told))

    def _lost(self, value: Any, conversation: Conversation) -> list[Loss]:
        wire, write = self.entry.wire, self.entry.write
        assert write is not None
        is_bare = bool(wire.bare) and not isinstance(value, Mapping)
        before = {wire.bare: value} if is_bare else value
        after = write(conversation)[0]
        if before == after:
            return []
        lost = Comparison(after).of(before)
        if is_bare:  # a list is the value itself, so its paths have no field before them
            return [loss._replace(path=loss.path.replace(f"$.{wire.bare}", "$", 1)) for loss in lost]
        return [self._parameter(loss) for loss in lost]

    def _parameter(self, loss: Loss) -> Loss:
        """Return the loss of a field beside those that hold the conversation as that of a parameter."""
        name = loss.path.removeprefix("$.").partition(".")[0].partition("[")[0]
        is_parameter = bool(self.entry.wire.holds) and name not in self.entry.wire.holds
        return loss._replace(kind="parameter-dropped") if is_parameter and loss.kind == "field-dropped" else loss


@dataclass(frozen=True, slots=True)
class Writer:
    """The writer of a format, proved by reading its output again."""

    entry: Format

    def __call__(self, conversation: Conversation) -> tuple[Any, tuple[Loss, ...]]:
        """Write a conversation; what does not come back is a loss."""
        assert self.entry.write is not None
        assert self.entry.read is not None
        output, told = self.entry.write(conversation)
        try:
            again = self.entry.read(output)[0]
        except FormatError as error:
            said = f"the format does not read what it writes: {error.message}"
            return output, (*told, Loss(error.path or "$", "unsupported", said))
        lost = [*differences(conversation, again), *_natives_lost(conversation, again)]
        return output, (*told, *uncovered(lost, told))


def uncovered(found: Iterable[Loss], told: Iterable[Loss]) -> list[Loss]:
    """Return the losses at whose place, or around it, nothing is reported yet; ``$`` says nothing of a place."""
    known = {loss.path for loss in told} - {"$"}
    return [loss for loss in found if not any(is_under(loss.path, path) for path in known)]


def is_under(path: str, other: str) -> bool:
    """Tell whether a path is another one, or leads to something inside of it.

    >>> is_under("$.messages[1].name", "$.messages[1]"), is_under("$.messages[10]", "$.messages[1]")
    (True, False)
    """
    return path == other or path.startswith((f"{other}.", f"{other}["))


# what only one API says ------------------------------------------------------------------------


def _natives_lost(before: Conversation, after: Conversation) -> list[Loss]:
    had = dict(natives(before))
    if not had:
        return []
    has = dict(natives(after))
    return [Loss(path, "field-dropped") for path, value in had.items() if has.get(path) != value]


def natives(conversation: Conversation) -> Iterator[tuple[str, Any]]:
    """Yield the path and the value of every field that only one API knows.

    Those that Chat has beside a message are compared with its other fields.
    """
    for index, message in enumerate(conversation.messages):
        if message.is_plain:
            continue
        path, counts = f"$.messages[{index}]", {"content": 0, "tool_calls": 0, "reasoning": 0}
        for api, fields in message.native.items():
            yield from ((f"{path}.{name}", value) for name, value in fields.items() if api != "chat")
        for part in message.parts:
            kind = _PLACES.get(type(part), "content")
            place = f"{path}.{kind}" if kind == "reasoning" else f"{path}.{kind}[{counts[kind]}]"
            counts[kind] += 1
            for fields in getattr(part, "native", EMPTY).values():
                yield from ((f"{place}.{name}", value) for name, value in fields.items())


_PLACES: Final = {ToolCall: "tool_calls", ReasoningPart: "reasoning"}


# leaves ----------------------------------------------------------------------------------------


class Comparison:
    """Compares a value with what came back of it, by path."""

    def __init__(self, after: Any) -> None:
        self.after = after
        self._whole: str | None = None

    def of(self, before: Any) -> list[Loss]:
        """Return a loss for each leaf that did not come back, and one for an object that is gone whole."""
        if isinstance(before, Mapping) and isinstance(self.after, Mapping):
            return self._fields(before, self.after, "$")
        return self._compare(before, self.after, "$")

    def _fields(self, before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> list[Loss]:
        pairs = ((f"{path}.{name}", value, after.get(name)) for name, value in before.items())
        return [loss for place, value, came in pairs for loss in self._compare(value, came, place)]

    def _compare(self, before: Any, after: Any, path: str) -> list[Loss]:
        if is_empty(before) or is_same(before, after):
            return []
        if is_empty(after):
            return [Loss(path, "field-dropped")]
        if isinstance(before, list | tuple) and isinstance(after, str):
            return self._joined(before, after, path)
        if isinstance(before, str) and isinstance(after, list | tuple) and _text_of(after) == before:
            return []
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            return self._fields(before, after, path)
        if isinstance(before, list | tuple) and isinstance(after, list | tuple):
            return self._items(before, after, path)
        return [Loss(path, "substituted", "another value came back")]

    def _joined(self, parts: Any, after: str, path: str) -> list[Loss]:
        """Compare parts with the text that they became: one text part is its text, several are merged."""
        texts = [part.get("text") if isinstance(part, Mapping) else None for part in parts]
        if not all(isinstance(text, str) and text in after for text in texts):
            return [Loss(path, "substituted", "another value came back")]
        merged = len(parts) > 1 or texts[0] != after
        beside = [
            self._compare(value, None, f"{path}[{index}].{name}")
            for index, part in enumerate(parts)
            for name, value in part.items()
            if name != "text" and not (name == "type" and value in _TEXTS)
        ]
        return [*([Loss(path, "merged")] if merged else []), *(loss for losses in beside for loss in losses)]

    def _items(self, before: Any, after: Any, path: str) -> list[Loss]:
        losses: list[Loss] = []
        for start, end, from_, to in _runs(before, after):
            for offset, item in enumerate(before[start:end]):
                place = f"{path}[{start + offset}]"
                if from_ + offset < to:
                    losses += self._compare(item, after[from_ + offset], place)
                elif not is_empty(item):
                    losses.append(self._absent(item, place))
        return losses

    def _absent(self, item: Any, path: str) -> Loss:
        """Return the loss of an item of a list: it is gone, or it stands elsewhere."""
        if isinstance(item, Mapping):
            self._whole = self._whole or canonical(self.after)
            if canonical(item) in self._whole:
                return Loss(path, "reordered", "it stands elsewhere")
        return Loss(path, "field-dropped")


def _runs(before: Any, after: Any) -> list[tuple[int, int, int, int]]:
    """Return which items of two lists to compare: by position, or around the items that came back unchanged."""
    if len(before) == len(after):
        return [(0, len(before), 0, len(after))]
    one, two = [*map(canonical, before)], [*map(canonical, after)]
    codes = SequenceMatcher(None, one, two, autojunk=False).get_opcodes()
    return [(i, j, k, m) for code, i, j, k, m in codes if code != "equal"]


def canonical(value: Any) -> str:
    """Return a JSON value as one text, whatever the order of its fields."""
    return json.dumps(thaw(value), sort_keys=True, ensure_ascii=False, default=repr)


def is_empty(value: Any) -> bool:
    """Tell whether a value says nothing: null, an empty text, and what holds nothing else."""
    if isinstance(value, Mapping):
        return all(map(is_empty, value.values()))
    if isinstance(value, list | tuple):
        return all(map(is_empty, value))
    return value is None or value == ""


def is_same(one: Any, two: Any) -> bool:
    """Tell whether two values are equal, texts of JSON as JSON."""
    if one == two:
        return isinstance(one, bool) == isinstance(two, bool)
    if not (isinstance(one, str) and isinstance(two, str) and one[:1] in ("{", "[")):
        return False
    try:
        return bool(json.loads(one) == json.loads(two))
    except (ValueError, RecursionError):
        return False


def _text_of(parts: Any) -> str | None:
    """Return the text of a list that is one text part and nothing else."""
    part = parts[0] if len(parts) == 1 else None
    is_text = isinstance(part, Mapping) and {n for n, v in part.items() if not is_empty(v)} <= {"type", "text"}
    return part["text"] if part is not None and is_text and isinstance(part.get("text"), str) else None
