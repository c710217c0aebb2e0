"""Holes of other tools' strings: ``{name}`` of ``str.format``, ``$name``, ``%(name)s``.

Rule: what a hole means is what its own engine makes of it; each function here returns Jinja
source, and its twin under *meanings* asks that engine.

=======================  ========================================================
``{x}``                ``{{ x }}``
``{x:>8.2f}`` ``{x!r}``  ``{{ '{:>8.2f}'.format(x) }}``, which Python carries out as there
``{x:{w}}``            ``{{ '{:{}}'.format(x, w) }}``
``{{`` ``}}``          one brace, as text
``{0}`` ``{}``         refused: a position has no name
``$x`` ``${x}`` ``$$``   ``{{ x }}`` ``{{ x }}`` ``$`` (``string.Template``)
``%(x)s`` ``%%``         ``{{ x }}`` ``%`` (the ``%`` operator)
``%(x)5.2f``             ``{{ '%(x)5.2f' % {'x': x} }}``
=======================  ========================================================
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from .draft import Draft
from .pieces import Piece, write
from .wrong import brace_at

_NAME: Final = re.compile(r"[^\W\d]\w*(?:\.\w+|\[\w+\])*")


def of_format(text: str, draft: Draft, place: str = "") -> str:
    """Return a text of ``str.format`` as Jinja source. Raises MigrationError.

    >>> of_format("{a} {{b}} {c:.1f}", Draft("x"))
    "{{ a }} {b} {{ '{:.1f}'.format(c) }}"
    """
    return write(pieces_of_format(text, draft, place))


def pieces_of_format(text: str, draft: Draft, place: str = "") -> list[Piece]:
    """Return the pieces of a text of ``str.format``. Raises MigrationError."""
    pieces: list[Piece] = []
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError:
        what = f"the braces do not match: see the one at {brace_at(text)} of the text"
        raise draft.refuse(what, place, hint="double a brace that is text") from None
    for before, name, spec, conversion in parsed:
        pieces.append(Piece("text", before))
        if name is not None:
            pieces.append(Piece("print", _format_hole(name, spec or "", conversion, draft, place)))
    return pieces


def _format_hole(name: str, spec: str, conversion: str | None, draft: Draft, place: str) -> str:
    """Return a hole as Jinja: a conversion and a specification are Python's, which carries them out."""
    paths, written = [name], ""
    for before, inner, inner_spec, inner_conversion in string.Formatter().parse(spec):
        written += before
        if inner is not None:
            if inner_spec or inner_conversion:
                raise draft.refuse(f"the hole {{{name}:{spec}}} is nested too deeply", place, hint="name its parts")
            paths.append(inner)
            written += "{}"
    for path in paths:
        if not _NAME.fullmatch(path):
            hint = "double a brace that is text, or name the hole"
            raise draft.refuse(f"{{{path}}} is not a name", place, hint=hint)
    shown = [path_of(path, draft) for path in paths]
    how = f"{'' if conversion in (None, 's') and not written else f'!{conversion}' if conversion else ''}"
    how += f":{written}" if written else ""
    return f"{{{{ {'{' + how + '}'!r}.format({', '.join(shown)}) }}}}" if how else f"{{{{ {shown[0]} }}}}"


def path_of(name: str, draft: Draft) -> str:
    """Return a dotted name as Jinja writes it: ``a.b[0]``, its first part a name that Jinja takes."""
    head = re.match(r"\w+", name)
    first = head[0] if head else name
    rest = re.sub(r"\[([^\W\d]\w*)\]", r"['\1']", name[len(first) :])
    return draft.input_name(first) + rest


def of_dollars(text: str, draft: Draft, place: str = "") -> str:
    """Return a text of ``string.Template`` as Jinja source. Raises MigrationError for a lone ``$``.

    >>> of_dollars("$$5 for $what", Draft("x"))
    '$5 for {{ what }}'
    """
    pieces, last = [], 0
    for found in string.Template.pattern.finditer(text):
        pieces.append(Piece("text", text[last : found.start()]))
        last = found.end()
        name = found["named"] or found["braced"]
        if found["invalid"] is not None:
            raise draft.refuse("a $ that is no hole must be doubled", place)
        pieces.append(Piece("print", f"{{{{ {draft.input_name(name)} }}}}") if name else Piece("text", "$"))
    return write([*pieces, Piece("text", text[last:])])


#: A conversion of the ``%`` operator: all but a name in parentheses is refused.
_PERCENT: Final = re.compile(
    r"%(?:\((?P<name>[^()]*)\))?(?P<how>[-#0+ ]*\*?\d*(?:\.(?:\*|\d+))?[hlL]?(?P<kind>.))", re.DOTALL
)


def of_percent(text: str, draft: Draft, place: str = "") -> str:
    """Return a text of the ``%`` operator as Jinja source. Raises MigrationError for a hole without a name.

    >>> of_percent("%(a)s is 100%% of %(b)5.1f", Draft("x"))
    "{{ a }} is 100% of {{ '%(b)5.1f' % {'b': b} }}"
    """
    pieces, last = [], 0
    for found in _PERCENT.finditer(text):
        pieces.append(Piece("text", text[last : found.start()]))
        last = found.end()
        if found.group() == "%%":
            pieces.append(Piece("text", "%"))
            continue
        pieces.append(Piece("print", _percent_hole(found, draft, place)))
    if "%" in text[last:]:
        raise draft.refuse("a % that is no hole must be doubled", place)
    return write([*pieces, Piece("text", text[last:])])


def _percent_hole(found: re.Match[str], draft: Draft, place: str) -> str:
    name, how = found["name"], found["how"]
    if not name or "*" in how or found["kind"] not in "srdiouxXeEfFgGca":
        raise draft.refuse(f"{found.group()[:20]!r} has no name or no type", place, hint="write it as %(name)s")
    target = draft.input_name(name)
    if how == "s":
        return f"{{{{ {target} }}}}"
    return f"{{{{ {f'%({target}){how}'!r} % {{{target!r}: {target}}} }}}}"


# meanings ----------------------------------------------------------------------------------


def format_meaning(text: str, inputs: Mapping[str, Any]) -> str:
    """Return what ``str.format`` makes of a text."""
    return string.Formatter().vformat(text, (), _Shown(inputs))


class _Shown(dict[str, Any]):
    """Inputs for ``str.format``, in which a missing name is an error that no sample survives."""

    def __missing__(self, key: str) -> Any:
        raise ValueError(key)


def dollar_meaning(text: str, inputs: Mapping[str, Any]) -> str:
    """Return what ``string.Template`` makes of a text."""
    return string.Template(text).substitute(inputs)


def percent_meaning(text: str, inputs: Mapping[str, Any]) -> str:
    """Return what the ``%`` operator makes of a text."""
    return text % dict(inputs)


class Engine(NamedTuple):
    """A language of holes: what writes it as Jinja, and what it means."""

    of_holes: Callable[[str, Draft], str]
    meaning: Callable[[str, Mapping[str, Any]], str]

    def read(self, text: str, draft: Draft) -> None:
        """Fill a draft from a text in this language. Raises MigrationError."""
        body = text.removesuffix("\n")
        draft.prompt(ended(self.of_holes(body, draft)))
        draft.meaning = lambda inputs: [("user", self.meaning(body, inputs))]


FORMATS: Final = Engine(of_format, format_meaning)
DOLLARS: Final = Engine(of_dollars, dollar_meaning)
PERCENTS: Final = Engine(of_percent, percent_meaning)


def ended(source: str) -> str:
    """Return a prompt's source so that its last line break survives: Jinja takes one away."""
    return source + "\n" if source.endswith("\n") else source
