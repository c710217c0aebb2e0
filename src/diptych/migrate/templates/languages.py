"""Which template language a text is in, where only its marks can tell.

Rule: a language is a candidate where a mark of it stands in the text and its own parser takes
the text. One candidate that is read exactly (Jinja, or ``{name}`` of ``str.format``) is certain;
another one is a doubt that names the mark and its place. Marks of two languages at different
places are a mixture, which no engine reads as it is meant. Speakers that are only
labels, headings or tags are a doubt, too.
"""

from __future__ import annotations

import re
import string
from typing import Final, Literal, NamedTuple

from ...errors import MigrationError
from ...text.marks import place_of
from ...text.template_text import holes_of
from .draft import Draft
from .handlebars import Handlebars
from .holes import of_percent
from .jinja import parses

JINJA: Final = "Jinja"
FORMAT: Final = "str.format"
HANDLEBARS: Final = "Handlebars or Mustache"
DOLLAR: Final = "string.Template"
PERCENT: Final = "the % operator"
_DOLLARS: Final = re.compile(r"\$\{[^{}\n]+\}|\$[A-Za-z_]\w*")
_PERCENTS: Final = re.compile(r"%\(\w+\)[-#0+ ]*[\d.*]*[a-zA-Z]")
#: Languages that are not read: their marks stay text.
_FOREIGN: Final = {
    "a shell or JavaScript": _DOLLARS,
    "the % operator with positions": re.compile(rf"{_PERCENTS.pattern}|(?<![\w%])%[sdrfi](?!\w)"),
    "ERB or EJS": re.compile(r"<%.*?%>", re.DOTALL),
    "Ruby": re.compile(r"#\{[^{}\n]+\}"),
    "a language of double brackets": re.compile(r"\[\[\s*[A-Za-z_][\w.]*\s*\]\]|<<\s*[a-z_][\w.]*\s*>>"),
}
_BLOCK: Final = re.compile(r"\{\{\{?~?\s*(?:[#/^>!&@]|else\b|\.\./|this\b)[^{}]*\}\}")
_JINJA_MARK: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_JINJA_BLOCK: Final = re.compile(r"\{%.*?%\}", re.DOTALL)
_TRIPLE: Final = re.compile(r"\{\{\{[^{}]*\}\}\}")
#: Braces of ``str.format`` from left to right: a pair is text, one is a field.
_BRACES: Final = re.compile(
    r"\{\{|\}\}|(?P<field>\{(?:\d*|(?P<name>[^\W\d]\w*(?:\.\w+|\[\w+\])*))(?:![rsa])?(?::(?:[^{}]|\{\w*\})*)?\})"
)
_NAME: Final = re.compile(r"\d*|[^\W\d]\w*(?:\.\w+|\[\w+\])*")
_SIMPLE: Final = re.compile(r"\{[^\W\d]\w*(?:\.[^\W\d]\w*)*\}")

_ROLES: Final = "system|developer|user|human|assistant|ai|bot|chatbot"
#: What says who speaks, and is text like any other.
_SPEAKERS: Final = {
    "a speaker label": re.compile(
        rf"^[ \t]*[>*_#\[-]*[ \t]*(?:{_ROLES})(?:[ \t](?:message|prompt))?[\]*_]*[ \t]*[:\uff1a]", re.M | re.I
    ),
    "a heading of a speaker": re.compile(
        rf"^(?:#+[ \t]*(?:{_ROLES})\b[^\n]{{0,12}}|\[/?(?:{_ROLES})\][ \t]*)$", re.M | re.I
    ),
    "a tag of a speaker": re.compile(rf"</?(?:{_ROLES}|messages?|chat|conversation|poml|role)(?:\s[^<>]*)?>", re.I),
    "a message as data": re.compile(rf"\brole[\"']?\s*[:=]\s*[\"']?(?:{_ROLES})\b", re.I),
}  # fmt: skip

Language = Literal["jinja", "fstring", "handlebars", "dollar", "percent", "none"]
_READ: Final[dict[str, Language]] = {
    JINJA: "jinja", HANDLEBARS: "handlebars", FORMAT: "fstring", DOLLAR: "dollar", PERCENT: "percent",
}  # fmt: skip


class Reading(NamedTuple):
    """How a text is read, and why that is not certain; ``mixed`` says which languages it mixes."""

    language: Language
    doubts: tuple[str, ...] = ()
    mixed: str = ""


def language_of(text: str) -> Reading:
    """Return the language that a text is read in, and what makes it uncertain.

    >>> language_of("Hi {{ x }}"), language_of("Hi {x}").language
    (Reading(language='jinja', doubts=(), mixed=''), 'fstring')
    >>> language_of("Hi $x").doubts
    ('$x at 1:4 is read as a hole of string.Template: it may be text, or of another language',)
    >>> language_of("Hi $x and {y}").mixed
    'str.format ({y} at 1:11), string.Template ($x at 1:4)'
    """
    marks = _candidates(text)
    seen = {name: _sign(text, found[0]) for name, found in marks.items()}
    language = _chosen(text, seen)
    if len(seen) > 1:
        listed = ", ".join(f"{name} ({sign})" for name, sign in seen.items())
        is_mixed = any(_is_apart(marks[one], marks[other]) for one in seen for other in seen if one != other)
        mixed = listed if is_mixed and seen.keys() <= _READ.keys() else ""
        read = next((name for name, one in _READ.items() if one == language), "text as it stands")
        return Reading(
            language, (f"several template languages explain the text, {listed}: it is read as {read}",), mixed
        )
    return Reading(language, tuple(doubt for name, sign in seen.items() if (doubt := _doubt(text, name, sign))))


def _is_apart(marks: list[re.Match[str]], others: list[re.Match[str]]) -> bool:
    """Return whether each of two languages has a mark that is none of the other."""

    def lone(these: list[re.Match[str]], those: list[re.Match[str]]) -> bool:
        return any(all(a.end() <= b.start() or b.end() <= a.start() for b in those) for a in these)

    return lone(marks, others) and lone(others, marks)


def _candidates(text: str) -> dict[str, list[re.Match[str]]]:
    """Return the languages that explain a text, each with its marks."""
    found: dict[str, list[re.Match[str]]] = {}
    marks = holes_of(text, "jinja")
    if marks and parses(text):
        found[JINJA] = list(_JINJA_MARK.finditer(text))
    elif marks and (_BLOCK.search(text) or _TRIPLE.search(text)) and _is_handlebars(text):
        found[HANDLEBARS] = [*_BLOCK.finditer(text), *_TRIPLE.finditer(text)]
        found[JINJA] = list(_JINJA_BLOCK.finditer(text))
    # Empty braces and numbers are fields only where all else is, too: code and JSON hold them.
    fields = _fields(text)
    is_format = any(one["name"] for one in fields) or _is_taken(text)
    found[FORMAT] = (
        [one for one in fields if text[one.start() - 1 : one.start()] not in ("$", "#")] if is_format else []
    )
    dollars = [one for one in _DOLLARS.finditer(text) if not any(m.start <= one.start() < m.end for m in marks)]
    found[DOLLAR] = dollars if string.Template(text).is_valid() else []
    found[PERCENT] = list(_PERCENTS.finditer(text)) if _is_percent(text) else []
    foreign = {name: list(pattern.finditer(text)) for name, pattern in _FOREIGN.items()}
    for read, other in ((DOLLAR, "a shell or JavaScript"), (PERCENT, "the % operator with positions")):
        if found[read]:
            foreign.pop(other)
    return {name: matches for name, matches in {**found, **foreign}.items() if matches}


def _is_percent(text: str) -> bool:
    """Return whether the ``%`` operator takes a text, with a name in each of its holes."""
    try:
        of_percent(text, Draft(""))
    except MigrationError:
        return False
    return True


def _sign(text: str, found: re.Match[str]) -> str:
    shown = found.group() if len(found.group()) <= 40 else f"{found.group()[:39]}…"
    return f"{shown} at {place_of(text, found.start())}"


def _fields(text: str) -> list[re.Match[str]]:
    """Return the fields of a text of ``str.format``."""
    return [found for found in _BRACES.finditer(text) if found["field"]]


def _is_taken(text: str) -> bool:
    """Return whether ``str.format`` takes a text: its braces match, and what stands in them is a field."""
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
    except ValueError:
        return False
    return all(_NAME.fullmatch(name) for name in names)


def _is_handlebars(text: str) -> bool:
    try:
        Handlebars(text, Draft(""), {}).read()
    except MigrationError:
        return False
    return True


def _chosen(text: str, seen: dict[str, str]) -> Language:
    if HANDLEBARS in seen and (FORMAT not in seen or _BLOCK.search(text)):
        return "handlebars"
    if JINJA in seen:
        return "jinja"
    for name in (FORMAT, DOLLAR, PERCENT):
        if name in seen:
            return _READ[name]
    # Marks that nothing explains: Jinja says what is wrong with them.
    return "jinja" if holes_of(text, "jinja") else "none"


def _doubt(text: str, name: str, sign: str) -> str:
    """Return why a text with marks of one language is uncertain, empty where it is not."""
    if name == JINJA:
        return ""
    if name == HANDLEBARS:
        return f"{sign} is of Handlebars or Mustache, which differ: the text is read as Handlebars"
    if name in (DOLLAR, PERCENT):
        return f"{sign} is read as a hole of {name}: it may be text, or of another language"
    if name != FORMAT:
        return f"{sign} may be a hole of {name}: it stays text"
    odd = next((found for found in _fields(text) if not _SIMPLE.fullmatch(found.group())), None)
    if odd is not None:
        return f"{_sign(text, odd)} may be a hole of str.format, or text"
    return "" if _is_taken(text) else f"{sign} may be a hole, but the braces of the text do not match in str.format"


def speakers_of(text: str) -> str:
    """Say where a text names speakers in a way that is text like any other, empty where it does not.

    >>> speakers_of("Be brief.\\nUser: {q}")
    'User: at 2:1 is a speaker label, which is text like any other: the prompt stays one message'
    """
    found = [(match.start(), what, match) for what, pattern in _SPEAKERS.items() if (match := pattern.search(text))]
    if not found:
        return ""
    start, what, match = min(found, key=lambda one: one[0])
    shown = match.group().strip()
    return f"{shown} at {place_of(text, start)} is {what}, which is text like any other: the prompt stays one message"
