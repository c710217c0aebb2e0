"""Who speaks in a prompt without markers: a judgement over the labels of a text.

Hints come first, then the names people use, then two labels that alternate. A talk that is only quoted (in a
fence, in tags, in an instruction to summarise it), the form of an answer, a record, a list of options, and a
glossary are no talk. The judgement is never called certain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, Literal, NamedTuple

from .labels import Label, Name, framed_names, hinted, names_of
from .names import EXAMPLES, KNOWN, OPENING, TALKERS
from .quoted import is_about, is_form, is_quoted, is_record

#: A line that begins or ends a block of code.
_FENCE: Final = re.compile(r"^[ \t]*+(```+|~~~+)", re.MULTILINE)
#: Speakers in a single line: ``User: Hi Assistant:``.
_IN_LINE: Final = re.compile(r"(?:^|(?<=\s))(?i:(user|human)|(assistant|ai)):", re.MULTILINE)

Kind = Literal["hinted", "talk", "examples", "pairs", "slot", "trace", "lines"]


class Speakers(NamedTuple):
    """The labels that open turns, and how they were recognised."""

    labels: tuple[Label, ...]
    kind: Kind


def speakers(text: str, hints: Mapping[str, Any] | None = None) -> Speakers | None:
    """Return the speakers of a text, None where nobody is seen to speak.

    >>> [label.role for label in speakers("You: Hi\\nFriend: Hey\\nYou: Bye\\nFriend:").labels]
    ['user', 'assistant', 'user', 'assistant']
    """
    if hints:
        found = tuple(hinted(text, hints))
        return Speakers(found, "hinted") if found else None
    names = _outside_fences(text, names_of(text))
    seen = _known(text, names) if names else None
    if (seen is None or len(seen.labels) == 1) and (other := _in_line(text)):
        return other
    return seen or (_pairs(text, names) if names else None) or _framed(text) or _lines(text, names)


def _outside_fences(text: str, names: list[Name]) -> list[Name]:
    """Leave out names inside blocks of code that begin behind the first name."""
    if not names or ("```" not in text and "~~~" not in text):
        return names
    fences = [(found.start(), found[1]) for found in _FENCE.finditer(text, names[0].start)]
    outside, fence = [], ""
    following = iter(fences[: len(fences) // 2 * 2])  # the last one may never end
    at, mark = next(following, (len(text), ""))
    for one in names:
        while at < one.start:
            fence = "" if fence and mark.startswith(fence) else fence or mark
            at, mark = next(following, (len(text), ""))
        if not fence:
            outside.append(one)
    return outside


# known names --------------------------------------------------------------------------------


def _known(text: str, names: list[Name]) -> Speakers | None:
    """Return the speakers where known names speak, alone or with one that alternates with them."""
    names = _of_one_frame(_without_options(names))
    if not names:
        return None
    roles = {one.name: KNOWN[one.name] for one in names if one.name in KNOWN}
    if any(one.name.startswith("thought") for one in names) and "user" in roles.values():
        return _trace(text, names, roles)
    is_open = not text[names[-1].end :].strip()
    present = set(roles.values()) - {"system", "tool"}
    if present == {"user"} and is_open and (roles.get(names[-1].name) == "user") and len(roles) > 1:
        roles[names[-1].name] = "assistant"  # "Me: … You:"
    elif len(present) == 1 and (other := _partner(names, roles, present, is_open=is_open)):
        roles[other] = "assistant" if present == {"user"} else "user"
    elif present == {"assistant"} and is_open:
        return Speakers(_labels_of(text, names, roles), "slot")
    elif len(present) < 2 and not _opens(text, names, roles):
        return None
    return _judged(text, names, roles, is_open=is_open)


def _judged(text: str, names: list[Name], roles: dict[str, str], *, is_open: bool) -> Speakers | None:
    """Return the speakers where they talk, and are not only quoted or described."""
    labels = _labels_of(text, names, roles)
    is_slot = is_open and names[-1].name in roles
    kind: Kind = "examples" if set(roles) <= EXAMPLES or not set(roles) - EXAMPLES & set(KNOWN) else "talk"
    if not _takes_turns(text, labels):
        return None
    if is_slot:
        return Speakers(labels, kind)
    if is_quoted(text, labels) or is_form(text, labels) or is_about(text, labels, is_open=is_open):
        return None
    spoken = [label for label in labels if label.role in ("user", "assistant")]
    if is_open:
        return Speakers(labels, "slot")  # it asks for something else than a turn
    if len(spoken) < 3 and len({label.role for label in spoken}) == 2:
        is_weak = not set(roles) & (TALKERS | EXAMPLES)
        if is_record(text, names, spoken, is_weak=is_weak):
            return None
        return Speakers(labels, "slot" if is_weak else kind)
    return Speakers(labels, kind) if len(spoken) < 3 or _repeats(names, roles) else None


def _repeats(names: list[Name], roles: Mapping[str, str]) -> bool:
    """Return whether a speaker speaks twice."""
    spoken = [one.name for one in names if one.name in roles]
    return len(set(spoken)) < len(spoken)


def _labels_of(text: str, names: Sequence[Name], roles: Mapping[str, str]) -> tuple[Label, ...]:
    return tuple(
        Label(one.start, one.end, roles[one.name], text[one.start : one.end]) for one in names if one.name in roles
    )


def _of_one_frame(names: list[Name]) -> list[Name]:
    """Return the names that stand in the frame of the last speaker, if both speak in it; else all."""
    frames = {one.frame for one in names}
    if len(frames) == 1:
        return names
    for frame in dict.fromkeys(one.frame for one in reversed(names) if one.name in KNOWN):
        alike = [one for one in names if one.frame == frame]
        if {KNOWN[one.name] for one in alike if one.name in KNOWN} >= {"user", "assistant"}:
            return alike
    return names


def _without_options(names: list[Name]) -> list[Name]:
    """Leave out the letters of a choice: ``A: … B: …``."""
    found = {one.name for one in names}
    return [one for one in names if len(one.name) > 1 or one.name == "q"] if {"a", "b"} <= found else names


def _opens(text: str, names: list[Name], roles: Mapping[str, str]) -> bool:
    """Return whether a text begins with a person who speaks alone, or with the system."""
    return bool(roles) and not set(roles) - OPENING - {"system"} and not text[: names[0].start].strip()


def _takes_turns(text: str, labels: Sequence[Label]) -> bool:
    """Return whether labels follow each other as speakers do: a user first, or turn by turn to an open end.

    A glossary that happens to hold two of the names does not.
    """
    spoken = [label.role for label in labels if label.role in ("user", "assistant")]
    if not spoken or spoken[0] == "user":
        return bool(spoken)
    alternates = all(a != b for a, b in pairwise(spoken))
    return alternates and (len(spoken) > 2 or not text[labels[-1].end :].strip())


def _trace(text: str, names: list[Name], roles: Mapping[str, str]) -> Speakers | None:
    """Return a question with its thoughts: the first thought after a question opens the answer."""
    labels: list[Label] = []
    for one in names:
        if roles.get(one.name) == "user":
            labels.append(Label(one.start, one.end, "user", text[one.start : one.end]))
        elif one.name.startswith("thought") and labels and labels[-1].role == "user":
            labels.append(Label(one.start, one.end, "assistant", text[one.start : one.end]))
    if len(labels) < 3 and labels and is_form(text, labels):
        return None
    return Speakers(tuple(labels), "trace")


def _partner(names: list[Name], roles: Mapping[str, str], present: set[str], *, is_open: bool) -> str | None:
    """Return the other name that takes turns with the known ones."""
    if set(roles) <= {"instruction", "prompt"}:
        return None
    places = _places(names)
    known = sorted(index for name in roles for index in places[name])
    for other in dict.fromkeys(one.name for one in reversed(names) if one.name not in roles):
        mine = places[other]
        is_last = is_open and names[-1].name == other
        if not (is_last or len(mine) > 1):
            continue
        if present == {"user"} and (_take_turns(known, mine) or (is_last and _take_turns(mine, known))):
            return other
        if present == {"assistant"} and len(mine) > 1 and _take_turns(mine, known):
            return other
    return None


def _places(names: Sequence[Name]) -> dict[str, list[int]]:
    """Return where each name stands among all."""
    places: dict[str, list[int]] = {}
    for index, one in enumerate(names):
        places.setdefault(one.name, []).append(index)
    return places


def _take_turns(first: Sequence[int], second: Sequence[int]) -> bool:
    """Return whether two speakers follow each other one by one, the first one before.

    >>> _take_turns([0, 2], [1, 3]), _take_turns([0, 1], [2])
    (True, False)
    """
    if not 0 <= len(first) - len(second) <= 1:
        return False
    order = [index for pair in zip(first, second, strict=False) for index in pair] + [*first[len(second) :]]
    return all(a < b for a, b in pairwise(order))


# other frames --------------------------------------------------------------------------------


def _framed(text: str) -> Speakers | None:
    """Return the speakers whose names stand in headings, in brackets or before a sign, and take turns."""
    for names in framed_names(text):
        roles = {one.name: KNOWN[one.name] for one in names}
        if not {"user", "assistant"} <= set(roles.values()) or not set(roles) & (TALKERS | EXAMPLES):
            continue
        if any(one.frame == "<" and f"</{one.name}>" in text.casefold() for one in names[:2]):
            continue  # tags
        labels = _labels_of(text, names, roles)
        spoken = [label.role for label in labels if label.role in ("user", "assistant")]
        is_open = not text[labels[-1].end :].strip() and labels[-1].role == "assistant"
        if any(not text[one.end : two.start].strip() for one, two in pairwise(labels)):
            continue
        is_talk = spoken[0] == "user" and all(a != b for a, b in pairwise(spoken)) and (is_open or len(spoken) > 2)
        if is_talk and (is_open or not (is_quoted(text, labels) or is_about(text, labels, is_open=False))):
            return Speakers(labels, "examples" if set(roles) <= EXAMPLES else "talk")
    return None


def _in_line(text: str) -> Speakers | None:
    """Return speakers that take turns inside lines, from its beginning or the end of a sentence to an open end."""
    if not text.rstrip().endswith(":"):
        return None
    found = [
        Label(one.start(), one.end(), "user" if one[1] else "assistant", one[0]) for one in _IN_LINE.finditer(text)
    ]
    roles = [label.role for label in found]
    if len(found) < 2 or text[found[-1].end :].strip() or text[: found[0].start].rstrip()[-1:].isalnum():
        return None
    return Speakers(tuple(found), "talk") if roles == ["user", "assistant"] * (len(roles) // 2) else None


# unknown names -------------------------------------------------------------------------------


def _pairs(text: str, names: list[Name]) -> Speakers | None:
    """Return two unknown labels that alternate and end in an empty one: examples, or a record to fill in."""
    if text[names[-1].end :].strip():
        return None
    places, last = _places(names), names[-1].name
    for first in dict.fromkeys(one.name for one in reversed(names[:-1])):
        asked, told = places[first], places[last]
        if first != last and len(asked) == len(told) > 1 and _take_turns(asked, told):
            mine = [names[index] for index in sorted((*asked, *told))]
            return Speakers(_labels_of(text, mine, {first: "user", last: "assistant"}), "pairs")
    return None


def _lines(text: str, names: Sequence[Name]) -> Speakers | None:
    """Return lines of ``left: right`` or ``left => right`` of which the last has no right, and none is spoken."""
    if any(one.name in KNOWN for one in names):
        return None
    sign = next((sign for sign in (":", "=>", "->", "→") if text.rstrip().endswith(sign)), None)
    if sign is None:
        return None
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) < 3 or any(sign not in line for line in lines):
        return None
    return Speakers((), "lines")
