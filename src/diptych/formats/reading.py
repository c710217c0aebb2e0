"""Read a prompt text back into a conversation, by a grammar.

Rule: a reading is proved by writing it again. ``lossless`` means that this gives the
identical text and that no other reading exists; a text that only carries labels
could always have been one message, so its reading is at best ``ambiguous``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ..errors import FormatError
from ..loss import Loss, Verdict
from ..model import Conversation, Cue, Message
from .base import Format, Reading
from .grammar import Grammar
from .openai_chat import write
from .registry import grammar_of, grammars
from .text import write_text


def read_text(prompt: str, format: str = "auto", *, hints: dict[str, str] | None = None) -> Reading:
    """Read a prompt in a text format, or in the one it looks like (``auto``).

    ``hints`` maps further speaker labels to roles. Raises FormatError for an unknown
    format, or for a value that is no text.
    """
    if not isinstance(prompt, str):
        raise FormatError(f"a prompt is text, not {type(prompt).__name__}", path="$")
    if format == "auto":
        return _detected(prompt, hints)
    return _reading(prompt, grammar_of(format), hints, 1.0)


def _detected(prompt: str, hints: dict[str, str] | None) -> Reading:
    ranked = sorted(((detect(prompt, grammar, hints), name) for name, grammar in grammars().items()), reverse=True)
    confidence, name = ranked[0]
    return _reading(prompt, grammar_of(name), hints, confidence)


def detect(prompt: str, grammar: Grammar, hints: dict[str, str] | None = None) -> float:
    """Return how sure it is (0 to 1) that a prompt is written in this format."""
    if grammar.plain:
        return 0.2
    if grammar.markers:
        return 0.95 if any(turn.open and turn.open in prompt for turn in grammar.turns.values()) else 0.0
    roles = {role for _, _, role in _labels(prompt, grammar, hints)}
    if hints and roles:
        return 0.9
    return 0.8 if {"user", "assistant"} <= roles else 0.0


def _reading(prompt: str, grammar: Grammar, hints: dict[str, str] | None, confidence: float) -> Reading:
    if grammar.plain:
        conversation = Conversation((Message("user", prompt),))
    elif grammar.markers:
        conversation = _read_marked(prompt, grammar)
    else:
        conversation = _read_labelled(prompt, grammar, hints)
    again = write_text(conversation, grammar.name, add_generation_prompt=conversation.cue == "reply").text
    losses = () if again == prompt else (Loss("$", _change(prompt, again), _first_difference(prompt, again)),)
    other = Conversation((Message("user", prompt),))
    alternatives: tuple[Reading, ...] = ()
    verdict: Verdict = "lossy" if losses else "lossless"
    if not grammar.plain and not grammar.markers and other != conversation:
        verdict = "ambiguous"
        alternatives = (Reading(other, write(other), "plain", confidence=1 - confidence),)
    return Reading(conversation, write(conversation), grammar.name, verdict, losses, alternatives, confidence)


def _change(prompt: str, again: str) -> str:
    return "trimmed" if "".join(prompt.split()) == "".join(again.split()) else "substituted"


def _first_difference(prompt: str, again: str) -> str:
    shortest = min(len(prompt), len(again))
    at = next((i for i in range(shortest) if prompt[i] != again[i]), shortest)
    return (
        f"written again, the text differs from character {at}: {prompt[at : at + 20]!r} became {again[at : at + 20]!r}"
    )


# label formats -----------------------------------------------------------------------------


def _labels(prompt: str, grammar: Grammar, hints: dict[str, str] | None) -> list[tuple[int, int, str]]:
    """Return start, content start and role of every label at the start of a line."""
    known = {**grammar.labels, **(hints or {})}
    folded = {label.casefold(): role for label, role in known.items()}
    words = "|".join(sorted(map(re.escape, known), key=len, reverse=True))
    pattern = re.compile(rf"^({words})[ \t]*:", re.IGNORECASE | re.MULTILINE)
    found = [(m.start(), m.end(), folded[m.group(1).casefold()]) for m in pattern.finditer(prompt)]
    return [(a, b, "user" if role == "human" else role) for a, b, role in found]


def _read_labelled(prompt: str, grammar: Grammar, hints: dict[str, str] | None) -> Conversation:
    labels = _labels(prompt, grammar, hints)
    messages: list[Message] = []
    before = prompt[: labels[0][0]].strip() if labels else prompt
    if not labels:
        return Conversation((Message("user", prompt),))
    if before:
        messages.append(Message("system", before))
    cue: Cue = "none"
    for index, (_, start, role) in enumerate(labels):
        is_last = index + 1 == len(labels)
        content = prompt[start : len(prompt) if is_last else labels[index + 1][0]].strip()
        if is_last and not content and role == "assistant":
            cue = "reply"
        else:
            messages.append(Message(role, content))
            if is_last and role == "assistant":
                cue = "continue"
    return Conversation(tuple(messages), cue=cue)


# marker formats ----------------------------------------------------------------------------


def _read_marked(prompt: str, grammar: Grammar) -> Conversation:
    opens = {turn.open: role for role, turn in grammar.turns.items()}
    pattern = re.compile("|".join(sorted(map(re.escape, opens), key=len, reverse=True)))
    found = list(pattern.finditer(prompt))
    messages: list[Message] = []
    cue: Cue = "none"
    if found and (before := prompt[: found[0].start()]).removeprefix(grammar.bos).strip():
        messages.append(Message("system", before))
    for index, mark in enumerate(found):
        role = opens[mark.group()]
        end = found[index + 1].start() if index + 1 < len(found) else len(prompt)
        content, closed = _close(prompt[mark.end() : end], grammar.turns[role].close)
        if not closed and index + 1 == len(found) and role == "assistant":
            cue = "continue" if content else "reply"
            if not content:
                continue
        messages.append(Message(role, content))
    if not found:
        messages.append(Message("user", prompt))
    return Conversation(tuple(messages), cue=cue)


def _close(text: str, close: str) -> tuple[str, bool]:
    """Split the end mark off a turn's text."""
    if text.endswith(close):
        return text[: len(text) - len(close)], True
    mark = close.strip()
    at = text.find(mark) if mark else -1
    return (text, False) if at < 0 else (text[:at], True)


def text_format(grammar: Grammar) -> Format:
    """Return the registry's entry of a grammar."""

    def read(value: Any) -> tuple[Conversation, tuple[Loss, ...]]:
        reading = read_text(value, grammar.name)
        return reading.conversation, reading.losses

    def write_it(conversation: Conversation) -> tuple[str, Sequence[Loss]]:
        writing = write_text(conversation, grammar.name, add_generation_prompt=conversation.cue != "continue")
        return writing.text, writing.losses

    def detect_it(value: Any) -> float:
        return detect(value, grammar) if isinstance(value, str) else 0.0

    return Format(grammar.name, "text", grammar.mapping, read, write_it, detect_it)  # type: ignore[arg-type]
