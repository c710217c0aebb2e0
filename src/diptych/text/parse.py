"""Find the turns of a text by a grammar: ranges of characters, no copies.

Rule: one pass from left to right. A turn runs to its close; where a role has no close
of its own, to the next open. Nothing is repaired: what the grammar does not explain
stays in a content, and writing the result again shows it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from .grammar import Grammar

#: Stands for a character that cannot be structure: data, or a template's hole.
OPAQUE = "\ue000"


class Range(NamedTuple):
    """One message: its role and where its content stands; ``is_closed``: its end was marked."""

    role: str
    start: int
    end: int
    is_closed: bool = True


@dataclass(slots=True)
class Parse:
    """The turns of a text; ``cue``: the text ends in the cue, ``bos``: it begins with one."""

    ranges: list[Range] = field(default_factory=list)
    cue: bool = False
    bos: bool = False


@lru_cache(maxsize=128)
def _opens(opens: tuple[str, ...], after: tuple[str, ...] | None) -> re.Pattern[str]:
    """Return the pattern of the opens: anywhere, or at line starts and after these marks."""
    words = "|".join(sorted(map(re.escape, opens), key=len, reverse=True))
    if after is None:
        return re.compile(words)
    starts = "|".join(["^", *(f"(?<={re.escape(mark)})" for mark in after)])
    return re.compile(rf"(?:{starts})(?:{words})", re.MULTILINE)


class _Parser:
    def __init__(self, text: str, grammar: Grammar) -> None:
        self.text, self.grammar = text, grammar
        self.found = Parse()
        self.absent: set[str] = set()
        # Opens are found without their outer white space, which contents are then free of.
        self.opens = {
            turn.open.strip(): role for role, turn in reversed(list(grammar.turns.items())) if turn.open.strip()
        }
        at_line_start = bool(grammar.labels) and not grammar.opens_anywhere
        closes = tuple(sorted({turn.close for turn in grammar.turns.values() if turn.close.strip()}))
        self.pattern = _opens(tuple(self.opens), closes if at_line_start else None)
        self.silent = next((role for role, turn in grammar.turns.items() if not turn.open.strip()), None)

    def run(self) -> Parse:
        position = self._bos()
        position = self._before(position)
        while position < len(self.text):
            position = self._turn(position)
        return self.found

    def _bos(self) -> int:
        bos = self.grammar.bos
        if bos and self.text.startswith(bos):
            self.found.bos = True
            return len(bos)
        return 0

    def _before(self, position: int) -> int:
        """Take the text before the first turn: the system text, where the grammar puts it there."""
        first = self.pattern.search(self.text, position)
        start = first.start() if first else len(self.text)
        if not self.text[position:start].strip():
            return start if first else position
        end = start - (len(self._lead(first)) if first else 0)
        close = self.grammar.system_turn.close if self.grammar.system == "prefix" else ""
        tail = close if close and self.text.endswith(close, position, end) else close.rstrip()
        if tail and self.text.endswith(tail, position, end):
            end -= len(tail)
        self.found.ranges.append(Range("system" if first else "user", position, end))
        return start

    def _lead(self, mark: re.Match[str]) -> str:
        """Return the white space that belongs to an open and stands before its mark."""
        opened = self.grammar.turns[self.opens[mark.group()]].open
        lead = opened[: len(opened) - len(opened.lstrip())]
        return lead if self.text.endswith(lead, 0, mark.start()) else ""

    def _turn(self, position: int) -> int:
        mark = self.pattern.match(self.text, position)
        if mark is None:
            return self._without_open(position)
        role = self.opens[mark.group()]
        after = self.grammar.turns[role].open.lstrip()[len(mark.group()) :]
        return self._content(role, self._content_start(mark.end(), after))

    def _without_open(self, position: int) -> int:
        """Read on where no turn is opened: a silent role, or white space before the next open."""
        following = self.pattern.search(self.text, position)
        end = following.start() if following else len(self.text)
        if not self.text[position:end].strip() and (following or self.silent is None):
            return end
        last = self.found.ranges[-1].role if self.found.ranges else None
        if self.silent is not None and last != self.silent:
            start = self._content_start(position, self.grammar.turns[self.silent].open)
            return self._content(self.silent, start)
        if self.found.ranges:
            # Text between turns that nothing explains: it stays with the turn before it.
            role, start, _, _ = self.found.ranges[-1]
            self.found.ranges[-1] = Range(role, start, end, False)
        return end

    def _content_start(self, position: int, expected: str) -> int:
        """Skip what should stand after an open, as far as it stands there."""
        for character in expected:
            if not self.text.startswith(character, position):
                break
            position += 1
        return position

    def _content(self, role: str, start: int) -> int:
        turn, text = self.grammar.turns[role], self.text
        end, after = self._end(role, start)
        closed = after > end or not (turn.close.strip() or turn.also_closes)
        if after >= len(text) and role == "assistant" and self._is_cue(start, end, closed):
            self.found.cue = True
            return len(text)
        self.found.ranges.append(Range(role, start, end, closed))
        return after

    def _is_cue(self, start: int, end: int, closed: bool) -> bool:
        if closed and self.grammar.turns["assistant"].close.strip():
            return False
        return not self.text[start:end].strip()

    def _end(self, role: str, start: int) -> tuple[int, int]:
        """Return where a content ends, and where the next turn may begin."""
        turn, text = self.grammar.turns[role], self.text
        marks = [mark for mark in (turn.close, *turn.also_closes) if mark.strip()]
        hits = [(at, mark) for mark in marks if (at := self._find(mark, start)) >= 0]
        if hits:
            at, mark = min(hits)
            return at, self._after(at, mark)
        following = self.pattern.search(text, start)
        after = following.start() if following else len(text)
        end = max(start, after - (len(self._lead(following)) if following else 0))
        for tail in (turn.close, self.grammar.separator, "\n"):
            if tail and not tail.strip() and following and text.endswith(tail, start, end):
                return end - len(tail), after
        return end, after

    def _find(self, mark: str, start: int) -> int:
        """Find a mark, or else the mark without the white space around it, as a dialect writes it."""
        for form in (mark, mark.strip()):
            if form in self.absent:
                continue
            at = self.text.find(form, start)
            if at >= 0:
                return at
            self.absent.add(form)  # not to be looked for at every turn: that would take the square of the time
        return -1

    def _after(self, at: int, mark: str) -> int:
        if self.text.startswith(mark, at):
            return at + len(mark)
        return at + len(mark.strip())


def parse(text: str, grammar: Grammar) -> Parse:
    """Return the turns of a text. It never raises: a text without turns is one user message."""
    if grammar.plain:
        return Parse([Range("user", 0, len(text))])
    return _Parser(text, grammar).run()
