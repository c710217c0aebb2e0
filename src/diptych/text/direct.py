"""Write plain turns directly: the common case of :mod:`writing`.

Where a grammar marks both ends of every turn with special tokens, and no content holds
one of them, each turn reads back as it was written. So one search through the contents takes
the place of a second parse. Laws in the tests hold it to the careful way, over every grammar
and over contents made of pieces of its marks. :mod:`scan` is the same for reading.
Whatever is more than text in turns (names, tool calls, contents to trim, a system text
inside a turn) returns None.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from ..model import Message, Segment
from .grammar import Grammar


class Frame(NamedTuple):
    """What stands around the content of a role, and whether the content is trimmed."""

    open: str
    close: str
    trims: bool


class Frames(NamedTuple):
    """The frame of each role that can be written directly, and the marks that no content may hold."""

    roles: dict[str, Frame]
    marks: tuple[str, ...]


@lru_cache(maxsize=128)
def frames_of(grammar: Grammar) -> Frames | None:
    """Return the frames of a grammar, or None where a turn is not marked at both ends by itself."""
    reads = {mark.strip() for turn in grammar.turns.values() for mark in (turn.open, turn.close, *turn.also_closes)}
    is_special = all(any(marker in mark for marker in grammar.markers) for mark in reads)
    has_more = (
        grammar.plain or grammar.writer or grammar.labels or grammar.separator or grammar.system_prefix or grammar.sheet
    )
    thinking = grammar.thinking
    if not is_special or has_more or (thinking and (thinking.empty or thinking.last or thinking.recent)):
        return None
    # Elsewhere than in a turn of its own, a system text is more than a turn.
    roles = [role for role in grammar.turns if role != "system" or grammar.system == "turn"]
    roles = [role for role in roles if role != "tool" or grammar.calls is None]
    turns = {role: Frame(grammar.turns[role].open, grammar.turns[role].close, role in grammar.trim) for role in roles}
    inside = ((thinking.open.strip(),) if thinking else ()) + (grammar.calls.marks if grammar.calls else ())
    return Frames(turns, (*grammar.markers, *inside))


def write_plain(
    grammar: Grammar, messages: Sequence[Message], provenance: Sequence[Sequence[Segment]] | None
) -> str | None:
    """Return the turns of messages as text, or None where that loses anything or is more than turns."""
    frames = frames_of(grammar)
    if frames is None:
        return None
    roles = frames.roles
    pieces: list[str] = []
    for message in messages:
        text, frame = message.plain_text, roles.get(message.role)
        if text is None or frame is None:
            return None
        pieces += (frame.open, text, frame.close)
    if provenance is not None:
        pieces[1::3] = ["".join([segment.text for segment in segments]) for segments in provenance]
    texts = pieces[1::3]
    if grammar.trim and any(text != text.strip() for text in texts):
        return None
    if not is_inert(frames, texts) or _has_default(grammar, messages[0].role if messages else "", texts):
        return None
    return "".join(pieces)


def is_inert(frames: Frames, texts: Sequence[str]) -> bool:
    """Return whether no text holds a mark that would be read as structure."""
    together = "\0".join(texts)
    return not any(mark in together for mark in frames.marks)


def _has_default(grammar: Grammar, first: str, texts: Sequence[str]) -> bool:
    """Return whether a grammar adds its own system message, or may take the first one for it."""
    default = grammar.default_system
    return default is not None and (first != "system" or texts[0] == default)
