"""Cut a text into turns with one pattern, where a format marks its turns with special tokens.

Most texts are turns and nothing else. Where one pattern covers a text, each turn is closed as the
format closes it, and no content holds a mark, the turns are what a careful parse finds, and writing
them again gives the text: so nothing is parsed or written to prove it. A text that the pattern
leaves certainly uncovered is not written by the format, unless contents hold its marks (``broken``): a
reading is ambiguous at best. Everything else is ``unsure``: the careful way decides. Laws in the tests
hold these answers to the careful way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice, pairwise
from operator import eq
from typing import Any, Final, Literal, NamedTuple, cast

from ..model import Cue
from .grammar import Grammar, Turn
from .parse import BEGINNING

#: What a scan finds: turns that writing gives again; turns that are not closed; a text that no writing gives,
#: or only with marks of the format in contents; a text that only a careful parse can judge.
State = Literal["plain", "bare", "broken", "unsure"]


@dataclass(slots=True)
class Scan:
    """The turns of a text: roles, contents, reasoning where a turn holds some, and how the text ends.

    ``bos`` are the marks of the beginning, ``sheet`` the lines of a model's own template that were
    left out of the system text. A ``bare`` text is opened turns without a close behind the first
    ``closed`` ones: writing it again would close them.
    """

    state: State
    roles: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    thoughts: list[str | None] | None = None
    cue: Cue = "none"
    bos: str = ""
    sheet: str = ""
    closed: int = 0

    def says(self) -> tuple[object, ...]:
        """Return what the turns say, whatever format they are in."""
        return self.texts, self.roles, self.thoughts, self.cue, self.bos, self.sheet


BROKEN: Final = Scan("broken")
UNSURE: Final = Scan("unsure")


class Cutter(NamedTuple):
    """The pattern of a grammar's turns, and what it takes to judge what it finds."""

    pattern: re.Pattern[str]  # open, content, close; or the rest
    opens: re.Pattern[str]  # any open, as it is written
    loose: re.Pattern[str]  # any open, as it may be read
    role_of: dict[str, str]
    allowed: frozenset[tuple[str, str]]  # open and close of each role
    closes: tuple[str, ...]  # marks one of which ends every turn but a last one; empty where another turn ends one
    has_blank: bool  # whether a turn is closed by nothing but the next one
    silent: str  # the role whose turn has no mark of its own
    inside: tuple[str, ...]  # what in a content is more than text: calls, their results, a system text


class Found(NamedTuple):
    """What a pattern found: opens, contents and closes of the turns, and the rest that is none."""

    opens: list[str]
    texts: list[str]
    closes: list[str]
    rest: str
    pairs: frozenset[tuple[str, str]]


@lru_cache(maxsize=256)
def cutter_of(grammar: Grammar) -> Cutter | None:
    """Return the cutter of a grammar, None where its turns are more than marks and contents."""
    turns = [turn for turn in grammar.turns.values() if turn.open.strip()]
    silent = [role for role, turn in grammar.turns.items() if not turn.open.strip()]
    marks = {mark.strip() for turn in grammar.turns.values() for mark in (turn.open, turn.close, *turn.also_closes)}
    is_special = all(any(marker in mark for marker in grammar.markers) for mark in marks if mark)
    is_more = grammar.plain or grammar.writer or grammar.labels or grammar.separator or not grammar.is_certain
    has_blank = any(not turn.close.strip() for turn in grammar.turns.values())
    if not is_special or is_more or not turns or (silent and (has_blank or silent != ["assistant"])):
        return None
    role_of: dict[str, str] = {}
    for role, turn in grammar.turns.items():
        role_of.setdefault(turn.open, role)
    allowed = frozenset((turn.open, turn.close) for turn in grammar.turns.values())
    pattern, opens = _pattern(tuple(grammar.turns.values()))
    loose = {turn.open.strip() for turn in turns}
    loose |= {mark.removeprefix(grammar.bos) for mark in loose if mark != grammar.bos}
    inside = grammar.calls.marks if grammar.calls else ()
    frame = (grammar.system_turn.open.strip(), grammar.system_turn.close.strip())
    marks_ = tuple(filter(None, (*inside, *frame)))
    role = silent[0] if silent else ""
    every = {close for turn in grammar.turns.values() for close in (turn.close, *turn.also_closes)}
    closes = () if has_blank else tuple(every)
    return Cutter(pattern, opens, _any_of(loose), role_of, allowed, closes, has_blank, role, marks_)


@lru_cache(maxsize=256)
def _pattern(turns: tuple[Turn, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the pattern of a turn, which takes the rest of the text where none stands, and that of its open."""
    opens = _any_of(turn.open for turn in turns if turn.open.strip())
    closes = {close for turn in turns for close in (turn.close, *turn.also_closes) if close.strip()}
    blank = [rf"{re.escape(turn.close)}(?={opens.pattern}|\Z)" for turn in turns if not turn.close.strip()]
    ends = [*sorted(map(re.escape, closes), key=len, reverse=True), *sorted(set(blank), key=len, reverse=True)]
    firsts = {close[0] for close in closes} | {turn.close[0] for turn in turns if turn.close}
    firsts |= {turn.open[0] for turn in turns if blank and turn.open}
    first, stops = "".join(map(re.escape, sorted(firsts))), "|".join(ends)
    content = rf"[^{first}]*+(?:(?!{stops})[{first}][^{first}]*+)*+"
    any_open = _any_of(turn.open for turn in turns).pattern
    return re.compile(rf"({any_open})({content})({stops}|)|((?s:.+))"), opens


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(sorted(map(re.escape, dict.fromkeys(words)), key=len, reverse=True)))


def scan(grammar: Grammar, text: str, seen: dict[Any, Any] | None = None) -> Scan:
    """Return the turns of a text.

    ``seen`` keeps what patterns found in it, since many formats have the same turns; with it, turns of
    a text that closes none are not looked for.
    """
    cutter = cutter_of(grammar)
    start = _start(grammar, cutter, text) if cutter else -1
    if cutter is None or start < 0:
        return UNSURE
    if not text[start:].strip() or (grammar.declares and grammar.declares.before in text) or has_calls(grammar, text):
        return UNSURE
    system, body = _system_apart(grammar, cutter, text[start:])
    if body is None:
        return BROKEN
    cue = bool(grammar.cue) and body.endswith(grammar.cue)
    end = len(body) - len(grammar.cue) if cue else len(body)
    if cutter.silent and not cutter.opens.match(body):
        return BROKEN if cutter.loose.search(body) else UNSURE
    if _adds_system(grammar, cutter, body):
        return BROKEN
    key = (cutter.pattern, body, end)
    if seen is not None and cutter.closes and not any(close in body for close in cutter.closes):
        first = cutter.loose.search(body, 0, end)
        if first and cutter.loose.search(body, first.end(), end):
            return Scan("bare")
    found = (seen.get(key) or _shared(cutter, body, end, seen)) if seen is not None else None
    if found is None:
        found = _cut(cutter, body, end)
        if seen is not None:
            seen[key] = found
            seen.setdefault("cuts", []).append((cutter, body, end, found))
    made = _judged(grammar, cutter, found, system, "reply" if cue else "none")
    if made.state in ("plain", "bare"):  # made for this text
        made.bos = text[:start]
    return made


def has_calls(grammar: Grammar, text: str) -> bool:
    """Return whether a text has turns of calls that are no turns like others."""
    calls = grammar.calls
    if calls is None or not (calls.resumes or calls.open):
        return False
    return grammar.turns["tool"].open in text or calls.begin + calls.call.partition("{")[0] in text


def _adds_system(grammar: Grammar, cutter: Cutter, body: str) -> bool:
    """Return whether writing turns again would put a system turn before them, which does not stand there."""
    if grammar.system != "turn" or (grammar.default_system is None and not grammar.system_prefix):
        return False
    first = cutter.opens.match(body)
    return first is not None and cutter.role_of.get(first[0]) != "system"


def beginning_of(grammar: Grammar, cutter: Cutter, text: str) -> str | None:
    """Return the turns of a text that was cut off, None where it does not say where they begin."""
    start = _start(grammar, cutter, text)
    body = _system_apart(grammar, cutter, text[start:])[1] if start >= 0 else None
    return body if body is not None and (not cutter.silent or cutter.opens.match(body)) else None


def _cut(cutter: Cutter, body: str, end: int) -> Found:
    """Return opens, contents and closes of the turns, and the rest that is none."""
    turns = cutter.pattern.findall(body, 0, end)
    if turns and not any(turns[-1]):
        turns.pop()  # a turn without marks of its own, at the end
    rest = turns.pop()[3] if turns and turns[-1][3] else ""
    opens, texts, closes, _ = map(list, zip(*turns, strict=True)) if turns else ([], [], [], [])
    return Found(opens, texts, closes, rest, frozenset(zip(opens, closes, strict=True)))


def _shared(cutter: Cutter, body: str, end: int, seen: dict[Any, Any]) -> Found | None:
    """Return what the pattern of more marks found in the same text, where it found those of this one alone."""
    if not cutter.closes or cutter.silent:
        return None
    opens, closes = cutter.role_of.keys(), {*cutter.closes}
    for other, text, stop, found in seen.get("cuts", ()):
        if found.rest or stop != end or other.silent or text != body:
            continue
        has_all = opens <= other.role_of.keys() and closes.issubset(other.closes)
        if has_all and all(opened in opens and close in closes for opened, close in found.pairs):
            return cast("Found", found)
    return None


def _start(grammar: Grammar, cutter: Cutter, text: str) -> int:
    """Return where the marks of the beginning end, -1 where there are several or white space."""
    if cutter.opens.match(text):
        return 0
    found = BEGINNING.match(text)
    start = len(grammar.bos) if grammar.bos and text.startswith(grammar.bos) else found.end() if found else 0
    if (found and found.start(1)) or (BEGINNING.match(text, start) and not cutter.opens.match(text, start)):
        return -1
    return -1 if grammar.writes_bos and not text.startswith(grammar.bos) else start


def _system_apart(grammar: Grammar, cutter: Cutter, body: str) -> tuple[str | None, str | None]:
    """Return a system text that stands before the first turn or inside it, and the turns, None where they differ."""
    wrap, user = grammar.system_turn, grammar.turns["user"].open
    if grammar.bos and user.startswith(grammar.bos) and body.startswith(user.removeprefix(grammar.bos)):
        body = grammar.bos + body  # a tokenizer adds it: the first turn may come without
    if grammar.system == "first-user" and wrap.open and body.startswith(user + wrap.open):
        inner, close, rest = body[len(user + wrap.open) :].partition(wrap.close)
        return (inner, user + rest) if close else (None, None)
    first = cutter.opens.search(body) if grammar.system == "prefix" else None
    if grammar.system != "prefix" or (first and not first.start() and grammar.default_system is None):
        return None, body
    before = body[: first.start()] if first else ""
    if not before.strip() or not before.endswith(wrap.close):
        return None, None
    return before.removesuffix(wrap.close), body[len(before) :]


def _judged(grammar: Grammar, cutter: Cutter, found: Found, system: str | None, cue: Cue) -> Scan:
    strange = found.pairs - cutter.allowed
    if strange and not (grammar.sheet and strange == {(found.opens[0], found.closes[0])} and _is_system(found, cutter)):
        last = (found.opens[-1], found.closes[-1])
        if strange != {last} or [*zip(found.opens, found.closes, strict=True)].count(last) > 1 or last[1]:
            return BROKEN  # turns that end elsewhere, or not at all
        if cutter.has_blank or cue != "none":
            return BROKEN if cutter.loose.search(found.texts[-1]) else UNSURE
        return _bare(grammar, cutter, found, system)
    if found.rest or not found.opens:
        return UNSURE if not found.rest or _is_named(grammar, found.rest) else BROKEN
    before = [] if system is None else [system]
    roles = [*(["system"] * len(before)), *map(cutter.role_of.__getitem__, found.opens)]
    made = Scan("plain", roles, [*before, *found.texts], cue=cue)
    if not _is_inert(cutter.inside, made.texts):
        return UNSURE
    if cutter.silent and (roles[0] == cutter.silent or _repeats(roles, cutter.silent)):
        return BROKEN
    if not _ends_well(grammar, found, made):
        return UNSURE
    return _inert(grammar, _written(grammar, made, bool(strange)))


def _inert(grammar: Grammar, made: Scan) -> Scan:
    """Return turns whose contents hold no mark of the format."""
    thoughts = [thought or "" for thought in made.thoughts or ()]
    return made if made.state != "plain" or _is_inert(grammar.markers, [*made.texts, *thoughts]) else BROKEN


def _is_named(grammar: Grammar, rest: str) -> bool:
    """Return whether what is no turn without a name may be one with a name."""
    before = grammar.named.partition("{}")[0]
    return bool(before) and rest.startswith(tuple(turn.open.rstrip("\n") + before for turn in grammar.turns.values()))


def _is_system(found: Found, cutter: Cutter) -> bool:
    return found.opens.count(found.opens[0]) == 1 and cutter.role_of[found.opens[0]] == "system"


def _is_inert(marks: Sequence[str], texts: Sequence[str]) -> bool:
    together = "\0".join(texts)
    return not any(mark in together for mark in marks)


def _ends_well(grammar: Grammar, found: Found, made: Scan) -> bool:
    """Return whether the order of turns and the last one are as a careful parse would read them."""
    last, close = made.roles[-1], found.closes[-1]
    if not grammar.cue and last == "user":
        made.cue = "reply"
    if close.strip():
        return True
    own = grammar.turns["assistant"].open.strip()
    if close and (made.cue == "none" or grammar.cue.strip() != own):
        return False  # nothing follows that would say that this is the close
    if last == "assistant" and made.cue == "none":
        made.cue = "continue"
    return last != "assistant" or bool(made.texts[-1].strip())


def _repeats(roles: Sequence[str], role: str = "") -> bool:
    """Return whether a role, or this one, follows itself."""
    return any(map(eq, roles, islice(roles, 1, None))) and (not role or (role, role) in pairwise(roles))


# what writing would make of the turns -------------------------------------------------------


def _written(grammar: Grammar, made: Scan, is_strange: bool) -> Scan:
    """Return the turns as messages, if writing these gives the text again."""
    first = made.texts[0] if made.roles[0] == "system" else None
    if first is not None and (grammar.sheet or grammar.system_prefix or grammar.is_implied):
        made.sheet, own = system_apart(grammar, first)
        if (is_strange or (grammar.system_prefix and first == own)) and not made.sheet:
            return BROKEN
        made.texts[0] = own
        if says_nothing(grammar, first, made.sheet, own):
            del made.roles[0], made.texts[0]
    elif first is None and (grammar.default_system is not None or grammar.system_prefix):
        return BROKEN  # writing adds a system text
    if not made.roles:
        return UNSURE
    if grammar.joins and {one for one, two in pairwise(made.roles) if one == two} - {"system"}:
        return BROKEN
    if _loses_breaks(grammar, made):
        return BROKEN
    if grammar.thinking and not _think(grammar, made):
        return BROKEN
    return BROKEN if _is_trimmed(grammar, made) else made


def system_apart(grammar: Grammar, text: str) -> tuple[str, str]:
    """Return what a model's own template wrote around a system text, and the text; the lines are empty for none.

    >>> system_apart(Grammar("x", {}, sheet="Date: (.*)"), "Date: Be brief.")
    ('Date: …', 'Be brief.')
    """
    found = re.fullmatch(grammar.sheet, text, re.DOTALL) if grammar.sheet else None
    if found:
        own = next(filter(None, found.groups()), "")
        return text.replace(own, "…") if own else text or "…", own
    if grammar.system_prefix and text.startswith(grammar.system_prefix):
        return grammar.system_prefix, text.removeprefix(grammar.system_prefix)
    return "", "" if grammar.is_implied and text == grammar.default_system else text


def says_nothing(grammar: Grammar, first: str, lines: str, own: str) -> bool:
    """Return whether a system message holds nothing but what a template or the format itself writes."""
    return not own and bool(lines or own != first or first == grammar.default_system)


def _loses_breaks(grammar: Grammar, made: Scan) -> bool:
    """Return whether a turn that only the next one ends has a line break at its end, which a parse takes off."""
    blank = {role for role, turn in grammar.turns.items() if not turn.close}
    if not blank:
        return False
    is_next = made.cue == "reply" and grammar.cue.strip() == grammar.turns["assistant"].open.strip()
    last = len(made.roles) if is_next else len(made.roles) - 1
    return any(text[-1:] == "\n" and role in blank for role, text in zip(made.roles[:last], made.texts, strict=False))


def _is_trimmed(grammar: Grammar, made: Scan) -> bool:
    if not grammar.trim:
        return False
    return any(text != text.strip() for role, text in zip(made.roles, made.texts, strict=True) if role in grammar.trim)


def _think(grammar: Grammar, made: Scan) -> bool:
    """Take the reasoning out of the replies; return whether it is written as it stood."""
    thinking, roles = grammar.thinking, made.roles
    assert thinking is not None
    if not thinking.empty and _is_inert([thinking.open.strip()], made.texts):
        return not (thinking.last or thinking.recent) or roles[-1] != "assistant"
    users = len(roles) - 1 - roles[::-1].index("user") if "user" in roles else -1
    begins = tuple(filter(None, (thinking.open, thinking.empty, thinking.last, thinking.recent)))
    thoughts: list[str | None] = [None] * len(roles)
    for index in (len(roles) - 1, *range(len(roles) - 1)):  # the last one shows most often that it is another format
        if roles[index] != "assistant":
            continue
        text = made.texts[index]
        before = thinking.nothing(is_last=index == len(roles) - 1, is_recent=index > users)
        if not text.startswith(begins):
            rest = text
        elif before and text.startswith(before):
            rest = text[len(before) :]
        else:
            thoughts[index], rest = thinking.split(text)
            if thoughts[index] is not None and index <= users and not thinking.keeps_earlier:
                return False  # the format leaves it out
            before = before if thoughts[index] is None else f"{thinking.open}{thoughts[index]}{thinking.close}"
        if len(text) != len(before) + len(rest) or not text.startswith(before):
            return False
        made.texts[index] = rest
    made.thoughts = thoughts if thoughts.count(None) < len(thoughts) else None
    return True


# turns that are not closed ------------------------------------------------------------------


def _bare(grammar: Grammar, cutter: Cutter, found: Found, system: str | None) -> Scan:
    """Return the turns of a text whose last ones are not closed: each runs to the next open."""
    tail = found.texts[-1]
    pieces = [found.opens[-1], *re.split(f"({cutter.opens.pattern})", tail)]
    opens, texts = pieces[::2], pieces[1::2]
    roles = [*map(cutter.role_of.__getitem__, [*found.opens[:-1], *opens])]
    is_last, is_more = roles[-1] == "assistant", bool(grammar.sheet or grammar.system_prefix or grammar.is_implied)
    if len(opens) == 1:
        if not is_last:
            return BROKEN
        made = Scan("plain", roles, found.texts, cue="continue")
        is_sure = tail.strip() and system is None and not is_more and not grammar.thinking
        return _judged_open(grammar, cutter, made) if is_sure else UNSURE
    texts = [*found.texts[:-1], *(text[:-1] if text[-1:] == "\n" else text for text in texts[:-1]), texts[-1]]
    closes = {one.strip() for turn in grammar.turns.values() for one in (turn.close, *turn.also_closes)}
    inside = [*grammar.markers, *cutter.inside, *closes, *([grammar.thinking.open.strip()] if grammar.thinking else [])]
    is_loose = len(cutter.loose.findall(tail)) != len(opens) - 1 or not opens[0].strip()
    if is_loose or system is not None or (is_more and roles[0] == "system") or not _is_inert(inside, texts):
        return BROKEN
    cue: Cue = "continue" if is_last else "none" if grammar.cue or roles[-1] != "user" else "reply"
    is_blank = is_last and not texts[-1].strip()
    return BROKEN if is_blank else Scan("bare", roles, texts, cue=cue, closed=len(found.opens) - 1)


def _judged_open(grammar: Grammar, cutter: Cutter, made: Scan) -> Scan:
    """Return the turns of a text that ends in a partial reply."""
    is_silent = cutter.silent and (made.roles[0] == cutter.silent or _repeats(made.roles, cutter.silent))
    if is_silent or not _is_inert(cutter.inside, made.texts):
        return UNSURE
    return _inert(grammar, _written(grammar, made, False))
