"""What is certain of a reply while it comes: text that nothing which follows can make a mark.

Rule: it hands over beginnings of what the whole will be read as, never more; the whole is read at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..response import Event
from .reply_body import pattern_of
from .reply_calls import calls_at, is_marked
from .reply_marks import ReplyMarks


@dataclass
class Scan:
    """Hands over what is certain of a reply while it comes.

    ``phase``: ``start`` (nothing is known), ``reasoning``, ``content``, ``held`` (a mark was seen, or
    nothing can be known before the end). White space is held back until something follows it.
    """

    marks: ReplyMarks
    text: str = ""
    position: int = 0
    phase: str = "start"
    skips: bool = False

    def feed(self, text: str) -> list[Event]:
        """Take a piece of the reply; return what is certain."""
        if self.phase == "held":
            return []
        self.text = self.text[self.position :] + text
        self.position = 0
        events: list[Event] = []
        while (phase := self.phase) != "held":
            events += getattr(self, f"_{phase}")()
            if self.phase == phase:
                break
        return [event for event in events if event.text]

    def _start(self) -> list[Event]:
        """Wait until the first characters say whether reasoning, a content or a call begins."""
        marks, seen = self.marks, self.text.lstrip()
        if marks.reasoning_close and not marks.reasoning_open:
            self.phase = "held"  # reasoning that no mark opens is known by its end alone
        elif marks.reasoning_open and seen.startswith(marks.reasoning_open):
            self.position = self.text.index(marks.reasoning_open) + len(marks.reasoning_open)
            self.phase, self.skips = "reasoning", True
        elif seen and not _may_become(seen, (marks.reasoning_open, marks.lead)):
            self.phase = "lead"
        return []

    def _reasoning(self) -> list[Event]:
        return self._until((self.marks.reasoning_close,), "reasoning", "lead")

    def _lead(self) -> list[Event]:
        """Skip what stands before a content."""
        rest = self.text[self.position :].lstrip()
        if not rest or _may_become(rest, (self.marks.lead,)):
            return []
        lead = pattern_of(self.marks.lead).match(self.text, self.position) if self.marks.lead else None
        blank = self.marks.blanks[0]
        self.skips = self.skips or lead is not None
        if lead is not None:
            self.position = lead.end()
        elif not self.skips and self.text.startswith(blank):
            self.position = len(blank)
        self.phase = "content"
        return []

    def _content(self) -> list[Event]:
        marks = self.marks
        call = calls_at(marks.calls)
        if marks.calls and not is_marked(marks.calls):
            self.phase = "held"  # no token says where a call begins
            return []
        return self._until((*marks.ends, marks.content_close, call), "text", "held")

    def _until(self, ends: Sequence[str], kind: Any, following: str) -> list[Event]:
        """Hand over what stands before the first of these marks, or before what may become one."""
        ends = [end for end in ends if end]
        found = min((at for end in ends if (at := self.text.find(end, self.position)) >= 0), default=-1)
        stop = found if found >= 0 else _safe(self.text, self.position, ends)
        piece = self.text[self.position : stop]
        if self.skips:
            self.position += len(piece) - len(piece.lstrip())
            piece = piece.lstrip()
        kept = piece.rstrip()
        self.skips = self.skips and not kept
        self.position += len(kept)
        if found >= 0:
            self.phase, self.skips = following, True
            self.position = found + len(next(end for end in ends if self.text.startswith(end, found)))
        return [Event(kind, text=kept)]


def _may_become(text: str, marks: Sequence[str]) -> bool:
    """Return whether more text could complete one of these marks at the beginning of a text."""
    return any(mark and len(text) < len(mark) and mark.startswith(text) for mark in marks)


def _safe(text: str, start: int, marks: Sequence[str]) -> int:
    """Return up to where a text holds no beginning of a mark that more text could complete."""
    longest = max(map(len, marks), default=1)
    for at in range(max(start, len(text) - longest + 1), len(text)):
        if any(mark.startswith(text[at:]) for mark in marks):
            return at
    return len(text)
