"""Formats that may all read a text: which of them have to, and whether what they read differs.

A text is scanned by the grammars that it may be of, the likeliest first. Where one explains it wholly,
those that could only read it with a loss, or with control tokens in contents, or as the first one does,
are left out; so that a long text is read by one grammar and not by twelve.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from ..format import Reading
from . import marks
from .detection import begins_exactly
from .grammar import Grammar
from .scan import UNSURE, Scan, scan

#: The tags around reasoning, with the white space beside them.
_THINK: Final = re.compile(r"\s*</?think>\s*")
#: How sure detection is of a grammar, the grammar, and what its scan found.
Scanned = tuple[float, Grammar, Scan]


def can_close(grammar: Grammar, prompt: str) -> bool:
    """Return whether a text holds anything that closes a turn."""
    return any(close in prompt for turn in grammar.turns.values() for close in (turn.close, *turn.also_closes))


def scans_of(prompt: str, masked: str, ranked: list[tuple[float, Grammar]]) -> list[Scanned]:
    """Return the scans of a text by the grammars; one that says what that of a likelier one does is left out."""
    scans: list[Scanned] = []
    seen: dict[Any, Any] = {}
    if masked is not prompt:
        return [(confidence, grammar, UNSURE) for confidence, grammar in ranked]
    for confidence, grammar in ranked:
        plain = [(first, found) for _, first, found in scans if found.state == "plain"]
        if plain and not begins_exactly(masked, grammar):
            continue  # it could only read with a loss
        if any(reads_alike(grammar, first, found, prompt) for first, found in plain):
            continue
        found = scan(grammar, prompt, seen)
        if found.state != "plain" or not any(found.says() == other.says() for _, other in plain):
            scans.append((confidence, grammar, found))
    return scans


def explained(scans: list[Scanned]) -> tuple[list[Scanned], bool]:
    """Leave out what leaves control tokens in contents that another plain scan explains; say whether one does."""
    plain = [(grammar, found.texts) for _, grammar, found in scans if found.state == "plain"]
    strange = {grammar.name for grammar, texts in plain if not marks.explains(grammar, texts)}
    is_sure = len(strange) < len(plain)
    return [one for one in scans if one[1].name not in strange] if is_sure else scans, is_sure


def unlike(scans: list[Scanned]) -> list[Scanned]:
    """Leave out plain scans that say what the best one does."""
    plain = [one for one in scans if one[2].state == "plain"]
    if len(plain) < 2:
        return scans
    talks = {grammar.name: Talk(found.roles, found.texts, found.thoughts) for _, grammar, found in plain}
    best = min(plain, key=lambda one: (-one[0], *oddity(talks[one[1].name], one[2])))
    talk = talks[best[1].name]
    alike = {g.name for _, g, _ in plain if g is not best[1] and not differ(talks[g.name], talk)}
    return [one for one in scans if one[1].name not in alike]


def looks_simple(texts: Sequence[str]) -> bool:
    """Return whether nothing in the contents of a reading with a loss could be explained better."""
    return "think>" not in "\0".join(texts) and all(text == text.strip() for text in texts)


def reads_alike(grammar: Grammar, first: Grammar, found: Scan, prompt: str) -> bool:
    """Return whether a variant of the grammar of a plain scan reads the same, or with a loss."""
    roles = set(found.roles)
    if grammar.sheet and grammar.turns.get("system") != first.turns.get("system"):
        roles.discard("system")  # its lines are not there, or it would be the likelier one
    elif "system" in roles and (grammar.system, grammar.system_turn) != (first.system, first.system_turn):
        return False
    if any(grammar.turns.get(role) != first.turns.get(role) for role in roles) or (
        found.bos and grammar.bos != first.bos
    ):
        return False
    if not all(_is_made_of(turn.open, first) for turn in grammar.turns.values()):
        return False
    thinking = (grammar.thinking, first.thinking) if grammar.thinking != first.thinking else ()
    inside = [one.open.strip() for one in thinking if one] + [one.close.strip() for one in thinking if one]
    inside += [
        *(grammar.calls.marks if grammar.calls else ()),
        *([grammar.declares.before] if grammar.declares else ()),
    ]
    if any(mark in prompt for mark in inside):
        return False
    own = (grammar.default_system, grammar.system_prefix or None)
    return not found.texts or not any(text and found.texts[0].startswith(text) for text in own)


def _is_made_of(mark: str, first: Grammar) -> bool:
    """Return whether a mark holds one that no content of a plain scan by the first grammar does."""
    return any(own in mark for own in first.markers)


class Talk(NamedTuple):
    """Who says what, of a scan or of a reading: what two readings of a text are compared by."""

    roles: Sequence[str]
    texts: Sequence[str]
    thoughts: Sequence[str | None] | None


def talk(reading: Reading) -> Talk:
    messages = reading.conversation.messages
    return Talk([m.role for m in messages], [m.text for m in messages], [m.reasoning for m in messages])


def oddity(talk: Talk, found: Reading | Scan) -> tuple[bool, int, int, bool]:
    """Return how much another could explain: tools, losses, replies that begin with tags of reasoning, blanks."""
    notes = len(found.losses) if isinstance(found, Reading) else bool(found.bos) + bool(found.sheet)
    pairs = zip(talk.roles, talk.texts, strict=True)
    thoughts = sum(text.startswith(("<think>", "</think>")) for role, text in pairs if role == "assistant")
    has_tools = isinstance(found, Reading) and bool(found.conversation.tools)
    return not has_tools, notes, thoughts, not _is_tight(talk)


def _is_tight(talk: Talk) -> bool:
    """Return whether no content has outer white space."""
    return all(text == text.strip() for text in talk.texts)


def differ(one: Talk, best: Talk) -> bool:
    """Return whether a reading has other contents than the best one.

    A dialect that puts spaces elsewhere is no other reading, unless they could be of the content; nor
    is one that leaves the reasoning, or a system message that says nothing, where it stands.
    """
    if one.roles != best.roles:
        return _essence(one) != _essence(best) or (one.texts != best.texts and not _is_tight(best))
    unlike = [
        index
        for index, (mine, its) in enumerate(zip(one.texts, best.texts, strict=True))
        if mine != its or (one.thoughts and one.thoughts[index]) != (best.thoughts and best.thoughts[index])
    ]
    if not unlike:
        return False
    if _essence(_only(one, unlike)) != _essence(_only(best, unlike)):
        return True
    return any(one.texts[index] != best.texts[index] for index in unlike) and not _is_tight(best)


def _bared(text: str) -> str:
    return (_THINK.sub("", text) if "think>" in text else text).strip()


def _only(talk: Talk, indices: Sequence[int]) -> Talk:
    thoughts = [talk.thoughts[i] for i in indices] if talk.thoughts else None
    return Talk([talk.roles[i] for i in indices], [talk.texts[i] for i in indices], thoughts)


def _essence(talk: Talk) -> list[tuple[str, str]]:
    """Return who says what, without tags of reasoning, outer white space, and a system text that says nothing."""
    thoughts = talk.thoughts or [None] * len(talk.roles)
    turns = zip(talk.roles, talk.texts, thoughts, strict=True)
    found = [(role, _bared((thought or "") + text)) for role, text, thought in turns]
    return [one for one in found if one != ("system", "")]
