"""Find the turns of a text by a grammar: ranges of characters, no copies.

Rule: one pass from left to right. A turn runs to its close; where a role has no close
of its own, to the next open. Nothing is repaired: what the grammar does not explain
stays in a content, and writing the result again shows it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

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
    """The turns of a text; ``cue``: the text ends in the cue, ``bos``: the marks that it begins with."""

    ranges: list[Range] = field(default_factory=list)
    cue: bool = False
    bos: str = ""


#: The marks that tokenizers put before everything, any of which may stand before any format's turns.
BEGINNINGS: Final = (
    "<s>", "<bos>", "<|begin_of_text|>", "<|startoftext|>", "<|endoftext|>", "<BOS_TOKEN>", "<｜begin▁of▁sentence｜>",
    "<｜start▁of▁sentence｜>", "<|begin_of_sentence|>", "[gMASK]<sop>", "[gMASK]", "<sop>", "〈|EOS|〉", "]~!b[",
)  # fmt: skip
BEGINNING: Final = re.compile(r"\s*(" + "|".join(map(re.escape, BEGINNINGS)) + ")")
_BEGINNINGS: Final = re.compile(rf"(?:{BEGINNING.pattern})*\s*")


@lru_cache(maxsize=128)
def _opens(opens: tuple[str, ...], after: tuple[str, ...] | None) -> re.Pattern[str]:
    """Return the pattern of the opens: anywhere, or at line starts and after these marks."""
    words = "|".join(sorted(map(re.escape, opens), key=len, reverse=True))
    if after is None:
        return re.compile(f"({words})")
    starts = "|".join([r"^[ \t]*", *(f"(?<={re.escape(mark)})" for mark in after)])
    return re.compile(rf"(?:{starts})({words})", re.MULTILINE)


class _Opened(NamedTuple):
    """What a reader needs to know of the turns that one mark opens."""

    role: str
    lead: str  # white space that stands before the mark
    expected: str  # white space that stands after it
    closes: tuple[str, ...]
    tails: tuple[str, ...]  # white space that ends a turn without a close of its own
    is_unmarked: bool
    bounds: tuple[str, ...] = ()  # marks of other turns that end this one, too


class _Rules(NamedTuple):
    """A grammar as its reader needs it."""

    pattern: re.Pattern[str]
    opened: dict[str, _Opened]
    silent: _Opened | None
    resumed: _Opened | None  # an assistant's turn that goes on behind the result of a tool


@lru_cache(maxsize=128)
def _rules(grammar: Grammar) -> _Rules:
    # Opens are found without their outer white space, which contents are then free of.
    turns = [(turn.open.strip(), role) for role, turn in reversed(list(grammar.turns.items()))]
    opened = {mark: _opened(grammar, role, mark) for mark, role in turns if mark}
    if grammar.bos:  # a tokenizer adds it: the first turn may come without
        opened |= {mark.removeprefix(grammar.bos): turn for mark, turn in opened.items() if mark != grammar.bos}
    calls, resumed = grammar.calls, None
    if calls and calls.open:
        opened[calls.open] = _opened(grammar, "assistant", "")._replace(expected="")
    if calls and calls.resumes:
        bounds = (grammar.turns["tool"].open,) if calls.inside else ()
        resumed = _opened(grammar, "assistant", "")._replace(expected="", lead="", bounds=bounds)
        own = grammar.turns["assistant"].open.strip()
        opened |= {own: opened[own]._replace(bounds=bounds)}
        opened |= {one: opened[one]._replace(bounds=tuple(opened)) for one in bounds}
    silent = next((role for role, turn in grammar.turns.items() if not turn.open.strip()), None)
    at_line_start = bool(grammar.labels) and not grammar.opens_anywhere
    closes = tuple(sorted({turn.close for turn in grammar.turns.values() if turn.close.strip()}))
    pattern = _opens(tuple(opened), closes if at_line_start else None)
    return _Rules(pattern, opened, None if silent is None else _opened(grammar, silent, ""), resumed)


def _opened(grammar: Grammar, role: str, mark: str) -> _Opened:
    turn = grammar.turns[role]
    lead = turn.open[: len(turn.open) - len(turn.open.lstrip())]
    expected = turn.open.lstrip()[len(mark) :] if mark else turn.open
    closes = tuple(mark for mark in (turn.close, *turn.also_closes) if mark.strip())
    tails = tuple(tail for tail in (turn.close, grammar.separator, "\n") if tail and not tail.strip())
    return _Opened(role, lead, expected, closes, tails, not (turn.close.strip() or turn.also_closes))


class _Parser:
    def __init__(self, text: str, grammar: Grammar) -> None:
        cue, own = grammar.cue, grammar.turns["assistant"].open.strip()
        self.grammar, self.found = grammar, Parse()
        # A generation prompt that is not just the mark of a turn begins no content.
        if cue.strip() != own and text.endswith(cue):
            text, self.found.cue = text[: len(text) - len(cue)], True
        self.text = text
        self.pattern, self.rules, self.silent, self.resumed = _rules(grammar)
        #: Where each mark was found last, and those that are found no more: to look for one at every
        #: turn would take the square of the time.
        self.seen: dict[str, int] = {}
        self.absent: set[str] = set()
        found = [(m.start(1), m.end(1), self.rules[m.group(1)]) for m in self.pattern.finditer(text)]
        self.opens = iter(found)
        self.next = next(self.opens, None)

    def run(self) -> Parse:
        position = self._before(self._bos())
        while position < len(self.text):
            position = self._turn(position)
        self._go_on()
        return self.found

    def _go_on(self) -> None:
        """Say that the assistant's turn goes on where the text ends behind a result, or where one is awaited."""
        last = self.found.ranges[-1] if self.found.ranges and self.resumed else None
        if last is not None and last.role == "tool" and last.is_closed:
            self.found.cue = True

    def _bos(self) -> int:
        """Return where the marks of the beginning end: whatever tokenizer they are of, but not the first turn's own."""
        bos = self.grammar.bos
        position = len(bos) if bos and self.text.startswith(bos) and not self.pattern.match(self.text) else 0
        while (found := BEGINNING.match(self.text, position)) and not self.pattern.match(self.text, found.start(1)):
            position = found.end()
        self.found.bos = self.text[:position]
        return position

    def _following(self, position: int) -> tuple[int, int, _Opened] | None:
        """Return the first open at a position or after it; positions only grow."""
        while self.next is not None and self.next[0] < position:
            self.next = next(self.opens, None)
        return self.next

    def _before(self, position: int) -> int:
        """Take the text before the first turn: the system text, where the grammar puts it there."""
        first = self._following(position)
        start = first[0] if first else len(self.text)
        if not self.text[position:start].strip():
            return start if first else position
        end = start - (len(self._lead(first)) if first else 0)
        close = self.grammar.system_turn.close if self.grammar.system == "prefix" else ""
        tail = close if close and self.text.endswith(close, position, end) else close.rstrip()
        if tail and self.text.endswith(tail, position, end):
            end -= len(tail)
        self.found.ranges.append(Range("system" if first else "user", position, end))
        return start

    def _lead(self, mark: tuple[int, int, _Opened]) -> str:
        """Return the white space that belongs to an open and stands before its mark."""
        lead = mark[2].lead
        return lead if lead and self.text.endswith(lead, 0, mark[0]) else ""

    def _turn(self, position: int) -> int:
        mark = self._following(position)
        if mark is None or mark[0] != position:
            return self._without_open(position, mark)
        return self._content(mark[2], self._content_start(mark[1], mark[2].expected))

    def _without_open(self, position: int, following: tuple[int, int, _Opened] | None) -> int:
        """Read on where no turn is opened: a silent role, or white space before the next open."""
        end = following[0] if following else len(self.text)
        if not self.text[position:end].strip() and (following or self.silent is None):
            return end
        last = self.found.ranges[-1].role if self.found.ranges else None
        if self.resumed is not None and last == "tool":
            return self._content(self.resumed, position)
        if self.silent is not None and last != self.silent.role:
            return self._content(self.silent, self._content_start(position, self.silent.expected))
        if self.found.ranges:
            # Text between turns that nothing explains: it stays with the turn before it.
            role, start, _, _ = self.found.ranges[-1]
            self.found.ranges[-1] = Range(role, start, end, False)
        return end

    def _content_start(self, position: int, expected: str) -> int:
        """Skip what should stand after an open, as far as it stands there."""
        if not expected or self.text.startswith(expected, position):
            return position + len(expected)
        for character in expected:
            if not self.text.startswith(character, position):
                break
            position += 1
        return position

    def _content(self, turn: _Opened, start: int) -> int:
        end, after = self._end(turn, start)
        closed = after > end or (turn.is_unmarked and after < len(self.text))
        if turn.role == "tool" and turn.bounds and start == end and not closed:
            self.found.ranges[-1:] = [one._replace(is_closed=True) for one in self.found.ranges[-1:]]
            return after  # the mark alone: a result is awaited
        if after >= len(self.text) and turn.role == "assistant" and self._is_cue(start, end, closed):
            self.found.cue = True
            return len(self.text)
        self.found.ranges.append(Range(turn.role, start, end, closed))
        return after

    def _is_cue(self, start: int, end: int, closed: bool) -> bool:
        if closed and self.grammar.turns["assistant"].close.strip():
            return False
        return not self.text[start:end].strip()

    def _end(self, turn: _Opened, start: int) -> tuple[int, int]:
        """Return where a content ends, and where the next turn may begin."""
        hits = [(at, mark) for mark in turn.closes if (at := self._find(mark, start)) >= 0]
        hits += [(at, "") for mark in turn.bounds if (at := self._find(mark, start)) >= 0]
        if hits:
            at, mark = min(hits, key=lambda hit: (hit[0], -len(hit[1])))
            return at, self._after(at, mark)
        following = self._following(start)
        if following is None:
            return len(self.text), len(self.text)
        after = following[0]
        end = max(start, after - len(self._lead(following)))
        for tail in turn.tails:
            if self.text.endswith(tail, start, end):
                return end - len(tail), after
        return end, after

    def _find(self, mark: str, start: int) -> int:
        """Find a mark, or else the mark without the white space around it, as a dialect writes it."""
        if mark in self.absent:
            return -1
        for form in (mark, mark.strip()):
            at = self.seen.get(form, -1)
            if at < start:
                at = self.text.find(form, start)
                self.seen[form] = at if at >= 0 else len(self.text)
            if 0 <= at < len(self.text):
                return at
        self.absent.add(mark)
        return -1

    def _after(self, at: int, mark: str) -> int:
        if self.text.startswith(mark, at):
            return at + len(mark)
        return at + len(mark.strip())


def opens_of(text: str, grammar: Grammar) -> list[tuple[int, int, str]]:
    """Return where a text opens turns: from, to, and of which role.

    >>> from .registry import grammar_of
    >>> opens_of("Human: Hi", grammar_of("claude"))
    [(0, 6, 'user')]
    """
    rules = _rules(grammar)
    return [(*found.span(1), rules.opened[found[1]].role) for found in rules.pattern.finditer(text)]


def after_beginning(text: str) -> int:
    """Return where the text begins behind the marks that tokenizers add.

    >>> after_beginning("<s> <s>[INST]")
    7
    """
    return _BEGINNINGS.match(text).end()  # type: ignore[union-attr]


def after_marks(text: str) -> int:
    """Return where the marks that tokenizers add end, white space behind them not counted.

    >>> after_marks("<s> [INST]")
    3
    """
    end = after_beginning(text)
    return len(text[:end].rstrip())


def parse(text: str, grammar: Grammar) -> Parse:
    """Return the turns of a text. It never raises: a text without turns is one user message."""
    if grammar.plain:
        return Parse([Range("user", 0, len(text))])
    return _Parser(text, grammar).run()
