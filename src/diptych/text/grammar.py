"""The declarative grammar of a text format: writer, reader and stop list come from it.

Rule: a grammar is data. It says what opens and closes a turn of each role, where
the system text goes, what is trimmed, which cue asks for the reply, and which
strings would be read as structure. Nothing about a format stands anywhere else; a
variant states only its difference (:meth:`Grammar.variant`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .calls import Calls
from .declared import Declared

#: Where the system text stands: a turn of its own; before the first turn; inside the
#: first or the last user turn.
Placement = Literal["turn", "prefix", "first-user", "last-user"]


@dataclass(frozen=True, slots=True)
class Turn:
    """How a role's turn is written: ``open`` + content + ``close``.

    ``also_closes`` are further marks that end such a turn when it is read.
    """

    open: str
    close: str
    also_closes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Thinking:
    """How reasoning is written before the content of an assistant's turn: ``open`` + reasoning + ``close``.

    ``empty`` stands there where there is none, ``last`` where there is none in the last
    message, ``recent`` where there is none in a message after the last user's. ``keeps_earlier``: what was
    thought before the last user message is written, too; most models' own templates leave it out.
    """

    open: str
    close: str
    empty: str = ""
    last: str = ""
    recent: str = ""
    keeps_earlier: bool = False

    def nothing(self, *, is_last: bool, is_recent: bool) -> str:
        """Return what stands where a message has no reasoning.

        >>> Thinking("<think>", "</think>", "</think>", recent="<think></think>").nothing(is_last=True, is_recent=True)
        '<think></think>'
        """
        return (self.recent if is_recent else "") or self.empty or (self.last if is_last else "")

    def split(self, text: str) -> tuple[str | None, str]:
        """Return the reasoning of a content and what follows it.

        >>> Thinking("<think>", "</think>").split("<think>hm</think>Yes")
        ('hm', 'Yes')
        """
        for nothing in filter(None, (self.empty, self.last, self.recent)):
            if text.startswith(nothing):
                return None, text[len(nothing) :]
        if not text.startswith(self.open):
            return None, text
        inner, close, rest = text[len(self.open) :].partition(self.close)
        if not close and inner.endswith(self.close.rstrip()):  # nothing follows, and no white space does
            return inner.removesuffix(self.close.rstrip()), ""
        return (inner, rest) if close else (None, text)


@dataclass(frozen=True, slots=True)
class Grammar:
    """One text format.

    ``turns``: how each role is written; an absent role is written as the role that
    ``role_map`` names (else ``user``), with a loss. ``separator`` stands between turns.
    ``cue`` asks for the reply. ``system`` says where the system text stands, and
    ``system_turn`` what is around it there; ``default_system`` is written where there
    is none, and ``is_implied`` means that a reader takes it for nothing said;
    ``system_prefix`` is written before every system text, and read as nothing said; ``sheet`` is the
    pattern of what the models' own templates write around it, dates and the like: its group is the text; an empty
    group leaves open whether there was one.

    ``markers`` are special tokens: anywhere in a content they would be read as
    structure. ``labels`` are speaker labels: at the start of a line they would be.
    ``label_ends`` is what follows a label. ``trim``: roles whose contents lose their
    outer white space. ``stop`` ends a reply. ``bos`` may stand before everything; it is
    written only where ``writes_bos``, since servers add it themselves. ``thinking`` is how
    reasoning stands at the start of an assistant's turn. ``calls`` is how tool calls and
    results stand, ``declares`` how tools are declared. ``named`` is how a name
    stands after the role; neighbours of one role are joined by ``joins``, where that is not empty.
    ``needs`` is a mark without which a text is not of this kind, however it looks. ``plain``: there
    are no turns, only text. ``is_certain``: the marks are special tokens, so that a text
    holding them is of this kind beyond doubt. ``opens_anywhere``: labels open a turn also
    where they do not begin a line. ``writer`` and ``reader`` are functions for the one
    format whose turns are more than text (Harmony).
    """

    name: str
    turns: Mapping[str, Turn]
    cue: str = ""
    separator: str = ""
    system: Placement = "turn"
    system_turn: Turn = Turn("", "")
    default_system: str | None = None
    system_prefix: str = ""
    sheet: str = ""
    is_implied: bool = False
    bos: str = ""
    writes_bos: bool = False
    markers: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    label_ends: str = ":"
    role_map: Mapping[str, str] = field(default_factory=dict)
    stop: tuple[str, ...] = ()
    trim: frozenset[str] = frozenset()
    thinking: Thinking | None = None
    calls: Calls | None = None
    declares: Declared | None = None
    named: str = ""
    joins: str = ""
    needs: str = ""
    plain: bool = False
    is_certain: bool = True
    opens_anywhere: bool = False
    writer: Any = None
    reader: Any = None
    aliases: tuple[str, ...] = ()
    mapping: str = ""

    def __hash__(self) -> int:
        return hash(self.name)  # what is compiled from a grammar is cached by it

    def variant(self, name: str, **differences: Any) -> Grammar:
        """Return this grammar under another name with these differences."""
        return replace(self, name=name, **{"aliases": (), **differences})


#: Every role: for ``trim``.
ALL_ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})


def turns_of(open_: str, close: str, roles: Mapping[str, str]) -> dict[str, Turn]:
    """Return one turn a role, ``{}`` in ``open_`` standing for the name of the role.

    >>> turns_of("<{}>", "</>", {"user": "U"})
    {'user': Turn(open='<U>', close='</>', also_closes=())}
    """
    return {role: Turn(open_.replace("{}", name), close) for role, name in roles.items()}
