"""Speaker labels: the names at the starts of lines that may open the turns of a prompt without markers.

Rule: a label opens a turn where it stands at the start of a line; the text before the first label is the
system text; white space and record separators around a content belong to no turn; an empty last label asks
for the reply. Signs of Markdown, brackets, bullets and times may stand around a name. Which labels are
speakers is a judgement: :mod:`speakers`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from ..errors import FormatError
from .names import KNOWN
from .parse import OPAQUE, Parse, Range

#: White space inside a line.
_BLANK: Final = r"[^\S\n]*+"
#: A time of day or a date before a name: ``[10:31]``, ``2024-05-01 10:31:07``.
_TIME: Final = r"[\[(]?\d{1,4}(?:[-:./ ,T]{1,2}\d{1,6})+Z?(?: ?[AP]M)?[\])]?[ ,-]+"
#: What may stand between the start of a line and a name.
_LEAD: Final = (
    rf"{_BLANK}(?:{_TIME})?(?:[-+*•>] +|\d{{1,3}}[.)] +)?"
    r"(?:[\u2190-\u2bff\u3200-\u32ff\U0001f000-\U0001faff\ufe0f\u200d]++ ?)?"  # symbols and emoji
    r"(?:#{1,6} ?)?(?:<b>|<strong>|[*_]{1,3}|~~|`)?[\[(<@【「《]?"
)
#: What may stand between a name and its colon, and behind that.
_NOTE: Final = r"(?:[(\[][^\n()\[\]]{1,40}[)\]])?"
_TRAIL: Final = r"(?:[\])>】」》*_`]|</b>|</strong>)*+"
_NAME: Final = rf"([^\W\d_][^\n:：*_#`\[\](){{}}<>】」》|\"{OPAQUE}]{{0,39}}+)"
#: A line that begins with a name and a colon.
_COLON: Final = re.compile(rf"\n({_LEAD}){_NAME}{_NOTE}{_BLANK}{_TRAIL}{_BLANK}[:：]{_TRAIL}")
#: Lines that begin with a name in another frame: a heading, brackets, a sign behind it.
_FRAMES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\n(#{{1,6}} [*_]*){_NAME}[*_]*{_BLANK}(?=\n|\Z)",
        rf"\n([*_]*[\[(【]){_NAME}[\])】][*_]*",
        rf"\n(<){_NAME}>",
        rf"\n([*_]{{2,3}}){_NAME}[*_]{{2,3}}{_BLANK}(?=\n|\Z)",
        rf"\n(={{2,}}|-{{2,}}|\*{{3,}}|#{{2,}}) ([^\W\d_][\w ]{{0,19}}?) \1{_BLANK}(?=\n|\Z)",
        r"\n()([^\W\d_][\w ]{0,19}?) ?[>»](?=\s|\Z)",
        r"\n()([^\W\d_][\w ]{0,19}?) [-\u2013\u2014](?=\s|\Z)",
        r"\n()([QA])\.(?=\s|\Z)",
        rf"\n()([^\W\d_][\w -]{{1,19}}+){_BLANK}(?=\n|\Z)",
    )
)
_NUMBER: Final = re.compile(r"[ #.]*\d{1,3}\Z")
_SAYS: Final = re.compile(r" (?:says|said)\Z")
#: What separates records: a line of signs, a mark of an end.
_RULE: Final = re.compile(r"[ \t]*+(?:#{3,}|-{3,}|={3,}|\+{3,}|\*{3,})")
_END: Final = re.compile(
    r"(?:#{3} ?End|</s>|<\|(?:endoftext|eot_id|im_end|end|eot)\|>|<end_of_turn>|<｜end▁of▁sentence｜>)\Z"
)
#: What a separator ends in, but for the word of an end.
_SEPARATES: Final = frozenset("#-=+*>")
_MAX_WORDS: Final = 4
#: What follows a colon that ends a label: white space, or nothing.
_AFTER_COLON: Final = frozenset(["", *(chr(code) for code in range(0x3001) if chr(code).isspace())])
#: What stands after a label; the second is the colon of Chinese and Japanese.
_COLONS: Final = ":\uff1a"
_BEFORE: Final = rf"(?:{_LEAD})"
_AFTER: Final = r"(?:\*\*|__)?"


class Label(NamedTuple):
    """A label in a text: where it starts, where its content may start, who speaks."""

    start: int
    end: int
    role: str
    text: str


class Name(NamedTuple):
    """A name where a label may stand: where it starts, where a content may start, the name, what is around it."""

    start: int
    end: int
    name: str
    frame: str


def names_of(text: str) -> list[Name]:
    """Return the names at line starts that a colon follows.

    Where a known speaker begins a line, names behind blanks are contents: so writers break up a label in data.

    >>> names_of("Hi\\n**Bob:** x")
    [Name(start=3, end=11, name='bob', frame='**')]
    >>> [one.name for one in names_of("User: Hi\\n Assistant: Ho\\nBot:")]
    ['user', 'bot']
    """
    found: list[Name] = []
    indented: set[int] = set()
    lines = "\n" + text
    for one in _COLON.finditer(lines):
        name, end = _folded(one[2]), one.end()
        if name and (lines[end : end + 1] in _AFTER_COLON or name in KNOWN or "：" in one[0]):
            found.append(Name(one.start(), end - 1, name, _frame(one[1])))
            indented.update([one.start()] if one[1][:1].isspace() else ())
    if indented and any(one.name in KNOWN and one.start not in indented for one in found):
        return [one for one in found if one.start not in indented]
    return found


def framed_names(text: str) -> list[list[Name]]:
    """Return the names at line starts in frames without a colon, one list a frame.

    >>> framed_names("[User] Hi\\n[Bot] Hey")[0][1]
    Name(start=10, end=15, name='bot', frame='[')
    """
    found = []
    lines = "\n" + text
    for pattern in _FRAMES:
        if names := [
            Name(one.start(), one.end() - 1, name, one[1])
            for one in pattern.finditer(lines)
            if (name := _folded(one[2])) in KNOWN
        ]:
            found.append(names)
    return found


@lru_cache(maxsize=4096)
def _folded(name: str) -> str:
    """Return a name as it is compared; empty for what is none."""
    name = " ".join(name.casefold().split())
    if len(name.split()) > _MAX_WORDS:
        return ""
    bare = _NUMBER.sub("", _SAYS.sub("", name))
    return bare if KNOWN.get(bare) else name


@lru_cache(maxsize=4096)
def _frame(lead: str) -> str:
    return re.sub(r"\d+", "0", lead).strip()


def read_hints(hints: Mapping[str, Any]) -> dict[str, str]:
    """Return label → role from either shape of hints.

    ``{"Customer": "user"}`` or ``{"user_labels": ["Customer:"], "assistant_labels": […]}``.
    Raises FormatError for another shape, and for a role that is none.
    """
    if not isinstance(hints, Mapping):
        raise FormatError(f"hints are a mapping from labels to roles, not {type(hints).__name__}", path="$.hints")
    found: dict[str, str] = {}
    for key, value in hints.items():
        key = str(key)
        if key.endswith("_labels") and isinstance(value, Sequence) and not isinstance(value, str):
            found |= {str(label): key.removesuffix("_labels") for label in value}
        else:
            found[key] = "user" if value == "human" else str(value)
    for label, role in found.items():
        if role not in ("system", "developer", "user", "assistant", "tool"):
            expected = "system, developer, user, assistant or tool"
            raise FormatError(f"the hint for {label!r} names no role: {role!r}", path="$.hints", hint=expected)
    return found


def unmatched_hints(text: str, roles: Mapping[str, str]) -> list[str]:
    """Return the hinted labels that open no turn of a text.

    >>> unmatched_hints("Customer: Hi", {"Customer": "user", "Clerk": "assistant"})
    ['Clerk']
    """
    seen = {hint for hint, _ in _hinted(text, roles)}
    return [hint for hint in roles if hint not in seen]


def own_labels(text: str, roles: Mapping[str, str]) -> list[Label]:
    """Return the labels of a known format, at line starts alone."""
    folded = {label.casefold(): role for label, role in roles.items()}
    found = _own_pattern(tuple(roles)).finditer(text)
    return [Label(m.start(), m.end(), folded[m.group(1).casefold()], m.group()) for m in found]


@lru_cache(maxsize=64)
def _own_pattern(labels: tuple[str, ...]) -> re.Pattern[str]:
    words = "|".join(sorted(map(re.escape, labels), key=len, reverse=True))
    return re.compile(rf"^({words})[ \t]*:", re.MULTILINE | re.IGNORECASE)


def hinted(text: str, hints: Mapping[str, Any]) -> list[Label]:
    """Return the labels that hints name.

    >>> [label.role for label in hinted("Bo: Hi\\nJo:", {"Bo": "user", "Jo": "assistant"})]
    ['user', 'assistant']
    """
    return [label for _, label in _hinted(text, read_hints(hints))]


def _hinted(text: str, roles: Mapping[str, str]) -> list[tuple[str, Label]]:
    """Find hinted labels at line starts; where one role has none there, anywhere after white space or a mark.

    Each comes with the hint that names it.
    """
    hints = sorted((hint for hint in roles if _bare(hint)), key=lambda hint: -len(_bare(hint)))
    found: list[tuple[str, Label]] = []
    # A label that begins with a sign, as ``### Instruction``, need not begin a line.
    signs = all(not _bare(hint)[0].isalnum() for hint in hints)
    for before in ("",) if signs else (f"^{_BEFORE}", rf"(?:^{_BEFORE}|(?<=[\s>]))"):
        words = "|".join(f"({_label_pattern(_bare(hint))})" for hint in hints)
        matches = re.finditer(f"{before}(?:{words})", text, re.MULTILINE | re.IGNORECASE) if hints else ()
        named = [(hints[(m.lastindex or 1) - 1], m) for m in matches]
        found = [(hint, Label(m.start(), m.end(), roles[hint], m.group())) for hint, m in named]
        if {label.role for _, label in found} >= {roles[hint] for hint in hints}:
            break
    return found


def _label_pattern(label: str) -> str:
    """Return the pattern of a label: a word needs a colon or a line break after it, a sign does not."""
    colon = rf"(?: says| said)?{_BLANK}{_NOTE}{_BLANK}{_TRAIL}{_BLANK}[{_COLONS}]{_TRAIL}"
    end = rf"(?:{colon}|{_TRAIL}(?=\n))" if label[-1].isalnum() else rf"(?:[ \t]*[{_COLONS}])?"
    return re.escape(label) + end


def _bare(label: str) -> str:
    return label.strip().rstrip(_COLONS).strip()


def parse_labelled(text: str, labels: Sequence[Label]) -> Parse:
    """Return the turns that labels open, as ranges of the text."""
    found = Parse()
    if not labels:
        return Parse([Range("user", 0, len(text))])
    start, end = _tight(text, 0, labels[0].start)
    if start < end:
        found.ranges.append(Range("system", start, end))
    for index, label in enumerate(labels):
        is_last = index + 1 == len(labels)
        start, end = _tight(text, label.end, len(text) if is_last else labels[index + 1].start)
        if is_last and start >= end and label.role == "assistant":
            found.cue = True
        elif not (is_last and start >= end and index):  # an open label of the user is a place to write, no message
            is_open = is_last and label.role == "assistant"
            found.ranges.append(Range(label.role, start, end, not is_open))
    return found


def _tight(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a range without the white space and the record separators at its ends."""
    piece = text[start:end]
    inner = piece.strip()
    if inner and inner[-1] not in _SEPARATES and not inner.endswith("End"):
        start += piece.find(inner[0])
        return start, start + len(inner)
    end = _end_of(text, start, end)
    while start < end:
        line = max(start, text.rfind("\n", start, end) + 1)
        found = _RULE.fullmatch(text, line, end) or _END.search(text, max(start, end - 40), end)
        if found is None:
            break
        end = _end_of(text, start, found.start())
    while start < end and text[start].isspace():
        start += 1
    return start, end


def _end_of(text: str, start: int, end: int) -> int:
    """Return where a range ends without white space."""
    while start < end and text[end - 1].isspace():
        end -= 1
    return end
