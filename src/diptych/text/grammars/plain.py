"""Plain text: no markers at all.

- one user message becomes its text, and the text reads as one user message: lossless
- several messages are joined by a blank line; who speaks is lost (``role-dropped``)
- there is no cue and no stop
"""

from __future__ import annotations

from ..grammar import Grammar, Turn

_BARE = Turn("", "")

GRAMMAR = Grammar(
    name="plain",
    turns=dict.fromkeys(("system", "developer", "user", "assistant", "tool"), _BARE),
    separator="\n\n",
    plain=True,
    mapping="one user message ↔ its text; of several messages the roles are lost",
)
