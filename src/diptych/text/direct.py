"""Write and read plain turns directly: the common case of :mod:`writing` and :mod:`reading`.

Where a grammar marks both ends of every turn with special tokens, and no content holds
one of them, each turn reads back as it was written. So a writer needs one search through
the contents in place of a second parse, and a reader one pattern in place of a parse and
a proof: turns that cover the text are what would be written again. Laws in the tests hold
both to the careful ways, over every grammar and over contents made of pieces of its marks.
Whatever is more than text in turns (names, tool calls, contents to trim, a system text
inside a turn) returns None.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
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
    if not is_special or has_more or (thinking and (thinking.empty or thinking.last)):
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


# reading ------------------------------------------------------------------------------------


class Plain(NamedTuple):
    """The turns that a text consists of, and nothing else; ``cue``: it ends in the cue."""

    roles: list[str]
    texts: list[str]
    cue: bool


@lru_cache(maxsize=128)
def _turn_of(grammar: Grammar) -> tuple[re.Pattern[str], dict[str, str], str] | None:
    """Return the pattern of a turn, the role of each open, and the close, where all turns have the same."""
    frames = frames_of(grammar)
    closes = {frame.close for frame in frames.roles.values()} if frames else set()
    if frames is None or len(closes) != 1 or not grammar.cue:
        return None
    roles = {frame.open: role for role, frame in frames.roles.items()}
    opens = "|".join(sorted(map(re.escape, roles), key=len, reverse=True))
    firsts = "".join(sorted({re.escape(mark[0]) for mark in frames.marks}))
    marks = "|".join(map(re.escape, frames.marks))
    content = rf"[^{firsts}]*+(?:(?!{marks})[{firsts}][^{firsts}]*+)*+"
    (close,) = closes
    return re.compile(f"({opens})({content}){re.escape(close)}"), roles, close


def read_plain(grammar: Grammar, text: str) -> Plain | None:
    """Return the turns of a text that writing them again gives, or None where it is anything else."""
    turn = _turn_of(grammar)
    if turn is None or (grammar.writes_bos and not text.startswith(grammar.bos)):
        return None
    pattern, role_of, close = turn
    start = len(grammar.bos) if text.startswith(grammar.bos) else 0
    cue = text.endswith(grammar.cue)
    end = len(text) - len(grammar.cue) if cue else len(text)
    found: list[tuple[str, str]] = pattern.findall(text, start, end)
    covered = sum(map(len, chain.from_iterable(found))) + len(close) * len(found)
    if not found or covered != end - start:
        return None
    texts = [content for _, content in found]
    roles = [role_of[opened] for opened, _ in found]
    if _has_default(grammar, roles[0], texts) or (grammar.trim and any(text != text.strip() for text in texts)):
        return None
    return Plain(roles, texts, cue)
