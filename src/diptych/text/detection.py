"""Which text format a prompt looks like: how sure each grammar is of it.

A format of special tokens is likeliest where the text begins with one of its turns (after the marks
that tokenizers add) and ends in its generation prompt. Formats of labels are looked for only where
no special token was found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from .grammar import Grammar
from .labels import Label, names_of
from .names import KNOWN, LABELLED
from .parse import after_beginning, after_marks, opens_of
from .quoted import is_about, is_form, is_quoted

#: Within how many characters of the beginning a model's own template begins its lines.
_NEAR: Final = 4_096


def detect(prompt: str, grammar: Grammar, *, begins: bool = False) -> float:
    """Return how sure it is (0 to 1) that a prompt is of this format; ``begins`` where it is known to begin so."""
    if grammar.plain:
        return 0.2
    if grammar.needs not in prompt:
        return 0.0
    if not grammar.is_certain:
        return 0.0 if grammar.name in LABELLED else _label_confidence(prompt, grammar)
    if begins or _begins(prompt, grammar):
        return 0.85 + _more(prompt, grammar)
    return 0.75 + _more(prompt, grammar) if _holds_open(prompt, grammar) else 0.0


def _more(prompt: str, grammar: Grammar) -> float:
    """Return how much surer a format is by its own generation prompt, or a system text of its models."""
    sure = 0.04 if grammar.cue and prompt.endswith(grammar.cue) else 0.0
    return sure + 0.08 if (grammar.sheet or grammar.system_prefix) and _has_sheet(prompt, grammar) else sure


def _begins(prompt: str, grammar: Grammar) -> bool:
    """Return whether a text begins with a turn: at once, behind its own mark of the beginning, or behind any."""
    opens, own = _opens_of(grammar), grammar.bos
    if prompt.startswith(opens) or (own and prompt.startswith(own) and prompt.startswith(opens, len(own))):
        return True
    return prompt.startswith(opens, after_beginning(prompt))


class _Heads:
    """The grammars of special tokens by what a text begins with; a longest mark says which shorter ones stand there."""

    def __init__(self, ordered: list[Grammar]) -> None:
        self.ordered, self.certain = ordered, [grammar for grammar in ordered if grammar.is_certain]
        opens = sorted({mark for grammar in self.certain for mark in _opens_of(grammar)}, key=len, reverse=True)
        self._any = re.compile("|".join(map(re.escape, opens)) or r"(?!)")
        self._marks = tuple({grammar.bos for grammar in self.certain if grammar.bos})
        self._known: dict[str, list[Grammar]] = {}

    def beginning(self, prompt: str) -> list[Grammar]:
        """Return the grammars one of whose turns a text begins with."""
        if after_beginning(prompt) or prompt.startswith(self._marks):
            return [grammar for grammar in self.certain if _begins(prompt, grammar)]
        found = self._any.match(prompt)
        if found is None:
            return []
        mark = found[0]
        if mark not in self._known:
            self._known[mark] = [grammar for grammar in self.certain if mark.startswith(_opens_of(grammar))]
        return self._known[mark]


#: Those of the formats that are built in, and of those that others brought.
_HEADS: Final[dict[bool, _Heads]] = {}


def _heads(ordered: list[Grammar], *, has_plain: bool) -> _Heads:
    found = _HEADS.get(has_plain)
    if found is None or found.ordered != ordered:
        found = _HEADS[has_plain] = _Heads(ordered)
    return found


def begins_exactly(prompt: str, grammar: Grammar) -> bool:
    """Return whether a text begins as this format writes it, white space and all."""
    return grammar.system == "prefix" or prompt.startswith(_exact_opens_of(grammar), after_marks(prompt))


@lru_cache(maxsize=128)
def _exact_opens_of(grammar: Grammar) -> tuple[str, ...]:
    opens = tuple(turn.open for turn in grammar.turns.values())
    return (*opens, *(mark.removeprefix(grammar.bos) for mark in opens if grammar.bos and mark != grammar.bos))


def _has_sheet(prompt: str, grammar: Grammar) -> bool:
    """Return whether the system text is one that the models' own templates write."""
    if grammar.system_prefix and prompt.find(grammar.system_prefix, 0, _NEAR) >= 0:
        return True
    turn = grammar.turns.get("system")
    if not grammar.sheet or turn is None:
        return False
    start = prompt.find(turn.open, 0, _NEAR)
    closes, begin = (turn.close, *turn.also_closes), start + len(turn.open)
    ends = [at + len(close) if close else len(prompt) for close in closes if (at := prompt.find(close, begin)) >= 0]
    return start >= 0 and bool(ends) and _sheet(grammar.sheet, closes).match(prompt, begin, max(ends)) is not None


@lru_cache(maxsize=64)
def _sheet(pattern: str, closes: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?:{pattern})(?:{'|'.join(map(re.escape, closes))})", re.DOTALL)


def _holds_open(prompt: str, grammar: Grammar) -> bool:
    return any((not sign or sign in prompt) and mark in prompt for sign, mark in _signed_opens_of(grammar))


@lru_cache(maxsize=128)
def _signed_opens_of(grammar: Grammar) -> tuple[tuple[str, str], ...]:
    """Return the marks that open turns, each with a sign in it: a single character is looked for in less time."""
    return tuple((next((sign for sign in "<[〈" if sign in mark), ""), mark) for mark in _opens_of(grammar))


@lru_cache(maxsize=128)
def _opens_of(grammar: Grammar) -> tuple[str, ...]:
    marks = [mark for turn in grammar.turns.values() if (mark := turn.open.strip())]
    bare = [mark.removeprefix(grammar.bos) for mark in marks if mark != grammar.bos]
    return tuple(dict.fromkeys([*marks, *bare]))


def _label_confidence(prompt: str, grammar: Grammar) -> float:
    """Return the confidence for a format of labels: both speakers must speak."""
    if not _holds_open(prompt, grammar):
        return 0.0
    if grammar.markers and not any(mark in prompt for mark in grammar.markers):
        return 0.0  # without its own marks it is any transcript
    has_cue = bool(grammar.cue.strip()) and prompt.rstrip().endswith(grammar.cue.strip())
    has_reply = has_cue or grammar.turns["assistant"].open.strip() in prompt
    is_headed = _begins(prompt, grammar) and not prompt[after_beginning(prompt)].isalnum()
    has_user = grammar.turns["user"].open.strip() in prompt
    found = opens_of(prompt, grammar) if has_user and (has_reply or is_headed) else []
    roles = {role for *_, role in found}
    if "user" not in roles or _leaves_labels(prompt, found) or _is_quoted(prompt, grammar, found):
        return 0.0
    is_silent = not grammar.turns["assistant"].open.strip()
    if has_cue or "assistant" in roles or is_silent:
        return 0.7
    return 0.5 if is_headed else 0.0


def _leaves_labels(prompt: str, found: list[tuple[int, int, str]]) -> bool:
    """Return whether the system text begins, or the last content ends, with a speaker's label of another format."""
    before, last = prompt[: found[0][0]], prompt[found[-1][1] :]
    first = next(iter(names_of(before.lstrip())), None)
    if first and not first.start and KNOWN.get(first.name) == "system":
        return True
    names = names_of(last)
    return bool(names) and not last[names[-1].end :].strip() and KNOWN.get(names[-1].name) == "assistant"


def _is_quoted(prompt: str, grammar: Grammar, found: list[tuple[int, int, str]]) -> bool:
    """Return whether the labels of a format stand in a quotation, or in a talk that something is to be done with."""
    if not grammar.labels or grammar.opens_anywhere or not prompt[found[-1][1] :].strip(" \t\n:"):
        return False
    spoken = [Label(start, end, role, "") for start, end, role in found if prompt[start - 1 : start] in ("", "\n")]
    return bool(spoken) and (
        is_quoted(prompt, spoken) or is_form(prompt, spoken) or is_about(prompt, spoken, is_open=False)
    )


def likeliest(masked: str, known: Mapping[str, Grammar]) -> list[tuple[float, Grammar]]:
    """Return the likeliest grammars with their confidence, the likeliest first."""
    ordered = list(known.values())  # a format stands before its variants
    heads = _heads(ordered, has_plain="plain" in known)
    # Where the text begins with a turn, what stands further inside need not be looked for: that takes long.
    found = [(detect(masked, grammar, begins=True), grammar) for grammar in heads.beginning(masked)]
    found = found or [(detect(masked, grammar), grammar) for grammar in heads.certain]
    # Special tokens outweigh labels: where some are seen, labels are not looked for.
    if max((sure for sure, _ in found), default=0.0) < 0.75:
        found += [(detect(masked, grammar), grammar) for grammar in ordered if not grammar.is_certain]
    found.sort(key=lambda row: -row[0])
    return [row for row in found if row[0] > found[0][0] - 0.035]
