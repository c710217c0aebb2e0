"""The contents of messages as segments with their authors: trimmed, cut, and with foreign marks broken up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ..errors import FormatError
from ..loss import Loss
from ..model import Message, Segment
from . import guard as guards
from .grammar import Grammar

Guard = Literal["escape", "refuse", "off"]


def segments_of(message: Message) -> list[Segment]:
    return [Segment(message.text, "data")] if message.text else []


def trim(segments: list[Segment], path: str, losses: list[Loss]) -> list[Segment]:
    """Take the outer white space off a content."""
    text = "".join(segment.text for segment in segments)
    if text == text.strip():
        return segments
    losses.append(Loss(f"{path}.content", "trimmed", "outer white space is not kept"))
    return cut(segments, len(text) - len(text.lstrip()), len(text.rstrip()))


def cut(segments: Sequence[Segment], start: int, end: int) -> list[Segment]:
    """Return the segments of the characters ``start:end``."""
    kept, position = [], 0
    for text, source, name in segments:
        piece = text[max(0, start - position) : max(0, end - position)]
        if piece:
            kept.append(Segment(piece, source, name))
        position += len(text)
    return kept


def guarded(
    grammar: Grammar, segments: list[Segment], path: str, guard: Guard, losses: list[Loss], *, at_line_start: bool
) -> list[Segment]:
    """Deal with the markers that data would bring into this content.

    A marker counts as the author's only where the author wrote all of it.
    """
    text = "".join(segment.text for segment in segments)
    breaks = guards.find(grammar, text, at_line_start=at_line_start)
    foreign = [b for b in breaks if not _is_authors(segments, b)]
    if not foreign:
        return segments
    if guard == "refuse":
        raise FormatError(f"a content holds a marker of {grammar.name}", path=f"{path}.content")
    if guard == "off":
        losses.append(Loss(f"{path}.content", "marker-in-content", f"it would read as {grammar.name} structure"))
        return segments
    losses.append(Loss(f"{path}.content", "escaped", f"{len(foreign)} markers of {grammar.name} were broken up"))
    return _insert(segments, [(b.position, b.filler) for b in foreign])


def _is_authors(segments: Sequence[Segment], found: guards.Break) -> bool:
    """True where the marker stands wholly in author text."""
    covered = 0
    for piece, source, _ in segments:
        if source == "data" and covered < found.end and covered + len(piece) > found.start:
            return False
        covered += len(piece)
    return True


def _insert(segments: Sequence[Segment], breaks: list[tuple[int, str]]) -> list[Segment]:
    """Put the fillers into the segments that hold their positions."""
    result, position, todo = [], 0, list(breaks)
    for text, source, name in segments:
        mine = [(p - position, filler) for p, filler in todo if p < position + len(text)]
        todo = todo[len(mine) :]
        result.append(Segment(guards.insert(text, mine), source, name))
        position += len(text)
    return result
