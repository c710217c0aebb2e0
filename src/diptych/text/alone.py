"""Texts that are nothing but turns, written without a proof: a reader compares them with what it read.

Rule: where a format may write more than its turns, None is returned and the careful way is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from ..model import Message
from .direct import Frame
from .grammar import Grammar


@lru_cache(maxsize=128)
def _has_turns_alone(grammar: Grammar) -> bool:
    """Return whether a format writes nothing but turns, and a system text of one's own before them."""
    more = grammar.plain or grammar.writer or grammar.thinking or grammar.calls or grammar.declares or grammar.joins
    more = more or grammar.named or grammar.system_prefix or grammar.default_system is not None
    return not more and grammar.system in ("turn", "prefix")


def turns_alone(grammar: Grammar, messages: Sequence[Message], *, cue: bool) -> str | None:
    """Return the text of messages where it is nothing but turns, without a proof; None where it may be more.

    >>> from .registry import grammar_of
    >>> turns_alone(grammar_of("transcript"), [Message("user", "Hi")], cue=True)
    'User: Hi\\n\\nAssistant:'
    """
    texts = [message.plain_text for message in messages]
    if None in texts or not _has_turns_alone(grammar):
        return None
    before, first, trim = "", 0, grammar.trim
    if grammar.system == "prefix" and messages and messages[0].role in ("system", "developer"):
        if len(messages) > 1 and messages[1].role in ("system", "developer"):
            return None
        own = texts[0] or ""
        before = grammar.system_turn.open + (own.strip() if "system" in trim else own) + grammar.system_turn.close
        first = 1
    frames = {role: _frame(grammar, role) for role in {message.role for message in messages[first:]}}
    pieces = []
    for message, text in zip(messages[first:], texts[first:], strict=True):
        opened, close, trims = frames[message.role]
        pieces.append(opened + ((text or "").strip() if trims else text or "") + close)
    asked = (grammar.separator if messages and grammar.cue else "") + grammar.cue if cue else ""
    return before + grammar.separator.join(pieces) + asked


def _frame(grammar: Grammar, role: str) -> Frame:
    """Return the frame in which a role is written, that of another one where it has none."""
    role = role if role in grammar.turns else grammar.role_map.get(role, "user")
    role = role if role in grammar.turns else "user"
    return Frame(grammar.turns[role].open, grammar.turns[role].close, role in grammar.trim)
