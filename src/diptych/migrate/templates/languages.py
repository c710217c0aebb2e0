"""Which template language a text is in, where only its marks can tell.

Rule: a language is a candidate where a mark of it stands in the text and its own parser takes
the text. One candidate that is read exactly (Jinja, or ``{name}`` of ``str.format``) is certain;
several, or another one, are a doubt that names the mark and its place. Speakers that are only
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
from .jinja import parses

JINJA: Final = "Jinja"
FORMAT: Final = "str.format"
HANDLEBARS: Final = "Handlebars or Mustache"
#: Languages that are not read: their marks stay text.
_FOREIGN: Final = {
    "string.Template or a shell": re.compile(r"\$\{[^{}\n]+\}|\$[A-Za-z_]\w*"),
    "the % operator": re.compile(r"%\(\w+\)[-#0+ ]*[\d.*]*[a-zA-Z]|(?<![\w%])%[sdrfi](?!\w)"),
    "ERB or EJS": re.compile(r"<%.*?%>", re.DOTALL),
    "Ruby": re.compile(r"#\{[^{}\n]+\}"),
    "a language of double brackets": re.compile(r"\[\[\s*[A-Za-z_][\w.]*\s*\]\]|<<\s*[a-z_][\w.]*\s*>>"),
}
_BLOCK: Final = re.compile(r"\{\{\{?~?\s*(?:[#/^>!&@]|else\b|\.\./|this\b)[^{}]*\}\}")
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

Language = Literal["jinja", "fstring", "handlebars", "none"]


class Reading(NamedTuple):
    """How a text is read, and why that is not certain."""

    language: Language
    doubts: tuple[str, ...] = ()


def language_of(text: str) -> Reading:
    """Return the language that a text is read in, and what makes it uncertain.

    >>> language_of("Hi {{ x }}"), language_of("Hi {x}").language
    (Reading(language='jinja', doubts=()), 'fstring')
    >>> language_of("Hi $x").doubts
    ('$x at 1:4 may be a hole of string.Template or a shell: it stays text',)
    """
    seen = _candidates(text)
    language = _chosen(text, seen)
    if len(seen) > 1:
        listed = ", ".join(f"{name} ({sign})" for name, sign in seen.items())
        read = {"jinja": JINJA, "fstring": FORMAT, "handlebars": "Handlebars"}.get(language, "text as it stands")
        return Reading(language, (f"several template languages explain the text, {listed}: it is read as {read}",))
    return Reading(language, tuple(doubt for name, sign in seen.items() if (doubt := _doubt(text, name, sign))))


def _candidates(text: str) -> dict[str, str]:
    """Return the languages that explain a text, each with its first mark and the place."""
    found: dict[str, re.Match[str] | None] = {}
    marks = holes_of(text, "jinja")
    if marks and parses(text):
        found[JINJA] = re.compile(re.escape(text[marks[0].start : marks[0].end])).search(text)
    elif marks and (_BLOCK.search(text) or _TRIPLE.search(text)) and _is_handlebars(text):
        found[HANDLEBARS] = _BLOCK.search(text) or _TRIPLE.search(text)
    # Empty braces and numbers are fields only where all else is, too: code and JSON hold them.
    named = [one for one in _fields(text) if one["name"]]
    found[FORMAT] = next(iter(_fields(text)), None) if named or _is_taken(text) else None
    found |= {name: pattern.search(text) for name, pattern in _FOREIGN.items()}
    return {name: _sign(text, match) for name, match in found.items() if match is not None}


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
    if JINJA in seen:
        return "jinja"
    if HANDLEBARS in seen and (FORMAT not in seen or _BLOCK.search(text)):
        return "handlebars"
    if FORMAT in seen:
        return "fstring"
    # Marks that nothing explains: Jinja says what is wrong with them.
    return "jinja" if holes_of(text, "jinja") else "none"


def _doubt(text: str, name: str, sign: str) -> str:
    """Return why a text with marks of one language is uncertain, empty where it is not."""
    if name == JINJA:
        return ""
    if name == HANDLEBARS:
        return f"{sign} is of Handlebars or Mustache, which differ: the text is read as Handlebars"
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
