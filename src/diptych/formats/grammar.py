"""The declarative grammar of a text format: writer, reader and stop list come from it.

Rule: a grammar is data. It says what opens and closes a turn of each role, where
the system text goes, what is trimmed, which cue asks for the reply, and which
strings would be read as structure. Nothing about a format stands anywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Turn:
    """How a role's turn is written: ``open`` + content + ``close``."""

    open: str
    close: str


@dataclass(frozen=True, slots=True)
class Grammar:
    """One text format.

    ``turns``: how each role is written; a role that is absent is written as the role
    ``role_map`` names, with a loss. ``separator`` stands between turns. ``cue`` asks for
    the reply. ``markers`` are special tokens: anywhere in a content they would be read
    as structure. ``labels`` are speaker labels: at the start of a line of a content
    they would be. ``trim``: contents lose their outer white space. ``stop`` ends a
    reply. ``plain``: there are no turns, only text.
    """

    name: str
    turns: Mapping[str, Turn]
    cue: str = ""
    separator: str = ""
    bos: str = ""
    markers: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    role_map: Mapping[str, str] = field(default_factory=dict)
    stop: tuple[str, ...] = ()
    trim: bool = False
    plain: bool = False
    names: Literal["drop", "keep"] = "drop"
    mapping: str = ""
