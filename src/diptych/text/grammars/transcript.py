"""A transcript: each turn begins with a speaker label at the start of a line.

- ``System: …``, ``User: …``, ``Assistant: …``, ``Tool: …``, a blank line between turns
- ``developer`` is written as ``System`` (``role-changed``); names and media are lost
- the cue is an empty ``Assistant:``; a reply ends where ``User:`` would begin
- a content whose line begins with a label would read as a turn: the guard puts a
  space before it (``escaped``)
- read back, contents are stripped of outer white space, and the labels of other
  transcripts (``Human:``, ``AI:``, ``Customer:`` …, and hinted ones) open turns, too
"""

from __future__ import annotations

from ..grammar import ALL_ROLES, Grammar, Turn
from ..names import KNOWN

_LABELS = {"System": "system", "User": "user", "Assistant": "assistant", "Tool": "tool"}

GRAMMAR = Grammar(
    name="transcript",
    turns={role: Turn(f"{label}: ", "") for label, role in _LABELS.items()},
    separator="\n\n",
    cue="Assistant:",
    labels={**{label.title(): role for label, role in KNOWN.items()}, **_LABELS},
    role_map={"developer": "system"},
    stop=("\nUser:", "\nSystem:"),
    trim=ALL_ROLES,
    is_certain=False,
    mapping="System:/User:/Assistant:/Tool: labels at line starts; names and media are lost",
)
