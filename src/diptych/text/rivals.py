"""Formats that may all read a text: which of them have to, and whether what they read differs.

A text is scanned by the grammars that it may be of, the likeliest first. Where one explains it wholly,
those that could only read it with a loss, or with control tokens in contents, or as the first one does,
are left out; so that a long text is read by one grammar and not by twelve.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final, NamedTuple, cast

from ..format import Reading
from . import marks
from .detection import begins_exactly
from .grammar import Grammar, Turn
from .heads import Head, head_of
from .scan import BROKEN, UNSURE, Scan, scan

#: The tags around reasoning.
_THINK: Final = re.compile(r"</?think>")
#: How sure detection is of a grammar, the grammar, and what its scan found.
Scanned = tuple[float, Grammar, Scan]


class Inside(dict[str, bool]):
    """Whether marks stand in a text, each looked for once: that takes long in a long text.

    >>> Inside("a<b>")["<b>"]
    True
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def __missing__(self, mark: str) -> bool:
        self[mark] = mark in self._text
        return self[mark]


def can_close(grammar: Grammar, prompt: str) -> bool:
    """Return whether a text holds anything that closes a turn."""
    return any(close in prompt for turn in grammar.turns.values() for close in (turn.close, *turn.also_closes))


def scans_of(prompt: str, masked: str, ranked: list[tuple[float, Grammar]]) -> list[Scanned]:
    """Return the scans of a text by the grammars; one that says what that of a likelier one does is left out."""
    scans: list[Scanned] = []
    seen: dict[Any, Any] = {}
    if masked is not prompt:
        return [(confidence, grammar, UNSURE) for confidence, grammar in ranked]
    heads = {grammar.name: head_of(grammar, prompt) for _, grammar in ranked}
    inside = Inside(prompt)
    order = {grammar.name: number for number, (_, grammar) in enumerate(ranked)}
    rows = sorted(ranked, key=lambda row: heads[row[1].name])
    for confidence, grammar in rows:
        head = heads[grammar.name]
        plain = [(first, found) for _, first, found in scans if found.state == "plain"]
        if plain and not begins_exactly(masked, grammar):
            continue  # it could only read with a loss
        if any(_says_no_more(confidence, grammar, head, one, inside) for one in scans):
            continue
        found = BROKEN if head.is_broken else _scanned(grammar, prompt, seen)
        if found.state != "plain" or not any(found.says() == other.says() for _, other in plain):
            scans.append((confidence, grammar, found))
        if grammar is rows[0][1] and _is_read_alike(tuple(rival for _, rival in rows[1:]), grammar, found, inside):
            break
    return sorted(scans, key=lambda one: order[one[1].name]) if len(scans) > 1 else scans


def _scanned(grammar: Grammar, prompt: str, seen: dict[Any, Any]) -> Scan:
    """Return the scan of a text; of a variant that only names other things than turns, that of the first one."""
    key = _turns_alone(grammar, prompt.endswith(grammar.cue))
    for other, found in seen.setdefault("variants", []):
        if other == key and (grammar.declares is None or grammar.declares.before not in prompt):
            return cast("Scan", found)
    found = scan(grammar, prompt, seen)
    seen["variants"].append((key, found))
    return found


@lru_cache(maxsize=256)
def _turns_alone(grammar: Grammar, has_cue: bool) -> Grammar:
    """Return a grammar without what it names beside turns."""
    cue = grammar.cue if has_cue else "-"
    return replace(grammar, name="", aliases=(), mapping="", stop=(), needs="", declares=None, cue=cue)


def _says_no_more(confidence: float, grammar: Grammar, head: Head, one: Scanned, inside: Inside) -> bool:
    """Return whether a plain scan by a grammar leaves nothing to say to another one, by what its beginning shows."""
    sure, first, found = one
    if found.state != "plain":
        return False
    if head.is_strange and marks.explains(first, found.texts):
        return True  # it leaves control tokens in contents that this one explains
    is_looser = head.is_loose and sure >= confidence and _is_tight(found)
    return reads_alike(grammar, first, found, inside, is_looser=is_looser)


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


class _Variance(NamedTuple):
    """Where a grammar differs from another: what a text has to hold for them to read it differently."""

    has_sheet: bool  # whether the lines of a model's own template decide about the system text
    has_system: bool  # whether a system text stands elsewhere
    roles: frozenset[str]  # whose turns differ
    opens: tuple[tuple[str, str], ...]  # role and mark of turns that hold no marker of the other
    inside: tuple[str, ...]  # marks of what is more than text in turns
    begins: tuple[str, ...]  # a system text of its own


@lru_cache(maxsize=2048)
def _variance(grammar: Grammar, first: Grammar, is_looser: bool) -> _Variance:
    turns = grammar.turns
    roles = [r for r in turns.keys() | first.turns.keys() if not _is_same(turns.get(r), first.turns.get(r), is_looser)]
    made = {role for role, turn in turns.items() if any(own in turn.open for own in first.markers)}
    thinking = (grammar.thinking, first.thinking) if grammar.thinking != first.thinking else ()
    inside = [mark.strip() for one in thinking if one for mark in (one.open, one.close)]
    inside += grammar.calls.marks if grammar.calls else ()
    inside += [grammar.declares.before] if grammar.declares else ()
    if is_looser:
        inside += filter(None, (grammar.system_turn.open.strip(), grammar.system_turn.close.strip()))
    return _Variance(
        bool(grammar.sheet) and turns.get("system") != first.turns.get("system"),
        (grammar.system, grammar.system_turn) != (first.system, first.system_turn),
        frozenset(roles),
        tuple((role, turn.open.strip()) for role, turn in turns.items() if role not in made),
        tuple(inside),
        tuple(filter(None, (grammar.default_system, grammar.system_prefix))),
    )


def reads_alike(grammar: Grammar, first: Grammar, found: Scan, inside: Inside, *, is_looser: bool = False) -> bool:
    """Return whether a variant of the grammar of a plain scan reads the same, or with a loss.

    ``is_looser``: one that leaves white space in contents, where that scan leaves none, says no more, either.
    """
    unlike, roles = _variance(grammar, first, is_looser), set(found.roles)
    if unlike.has_sheet:
        roles.discard("system")  # its lines are not there, or it would be the likelier one
    if found.bos and grammar.bos != first.bos:
        return False
    return _keeps(unlike, roles, found, inside)


def _keeps(unlike: _Variance, roles: set[str], found: Scan, inside: Inside) -> bool:
    """Return whether a plain scan, which has turns of these roles, holds nothing of what grammars differ in."""
    if not roles.isdisjoint(unlike.roles) or (unlike.has_system and "system" in roles):
        return False
    # A mark that stands somewhere, and holds none that no content of a plain scan does, may be read.
    if any(role not in roles and (not mark or inside[mark]) for role, mark in unlike.opens):
        return False
    if any(map(inside.__getitem__, unlike.inside)):
        return False
    return not found.texts or not found.texts[0].startswith(unlike.begins)


@lru_cache(maxsize=256)
def _variance_of_all(rivals: tuple[Grammar, ...], first: Grammar) -> _Variance:
    """Return where any of these grammars differs from another one."""
    all_ = [_variance(rival, first, False) for rival in rivals]
    system = frozenset({"system"})
    return _Variance(
        False,
        any(one.has_system and not one.has_sheet for one in all_),
        frozenset().union(*(one.roles - system if one.has_sheet else one.roles for one in all_)),
        tuple({("" if one.has_sheet and role == "system" else role, mark) for one in all_ for role, mark in one.opens}),
        tuple({mark for one in all_ for mark in one.inside}),
        tuple({begin for one in all_ for begin in one.begins}),
    )


def _is_read_alike(rivals: tuple[Grammar, ...], first: Grammar, found: Scan, inside: Inside) -> bool:
    """Return whether all of these say no more than the plain scan of the likeliest one, asked at once.

    They do wherever this says so; where it does not, each is asked by itself.
    """
    if found.state != "plain" or found.bos:
        return False
    return _keeps(_variance_of_all(rivals, first), set(found.roles), found, inside)


def _is_same(one: Turn | None, other: Turn | None, is_looser: bool) -> bool:
    """Return whether two turns are written alike, ``is_looser``: but for white space."""
    if one == other or not is_looser or one is None or other is None:
        return one == other
    return (one.open.strip(), one.close.strip()) == (other.open.strip(), other.close.strip())


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


def _is_tight(talk: Talk | Scan) -> bool:
    """Return whether no content has outer white space."""
    return talk.texts == [*map(str.strip, talk.texts)]


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
    if _bared(_only(one, unlike)) != _bared(_only(best, unlike)):
        return True
    return any(one.texts[index] != best.texts[index] for index in unlike) and not _is_tight(best)


def _only(talk: Talk, indices: Sequence[int]) -> Talk:
    thoughts = [talk.thoughts[i] for i in indices] if talk.thoughts else None
    return Talk([talk.roles[i] for i in indices], [talk.texts[i] for i in indices], thoughts)


def _essence(talk: Talk) -> list[tuple[str, str]]:
    """Return who says what, without tags of reasoning, outer white space, and a system text that says nothing."""
    return [one for one in zip(talk.roles, _bared(talk), strict=True) if one != ("system", "")]


def _bared(talk: Talk) -> list[str]:
    """Return what is said, without tags of reasoning and outer white space."""
    texts = list(talk.texts)
    if talk.thoughts:
        texts = [(thought or "") + text for thought, text in zip(talk.thoughts, texts, strict=True)]
    together = "\0".join(texts)
    if "think>" in together and together.count("\0") == len(texts) - 1:
        texts = _without_tags(together).split("\0")  # one search for all: that takes less time
    elif "think>" in together:
        texts = [*map(_without_tags, texts)]
    return [*map(str.strip, texts)]


def _without_tags(text: str) -> str:
    """Return a text without tags of reasoning and the white space beside them."""
    first, *others = _THINK.split(text)
    if not others:
        return text
    *inner, last = others
    return "".join([first.rstrip(), *map(str.strip, inner), last.lstrip()])
