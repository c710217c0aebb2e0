"""Few-shot examples: ``Q: …`` and ``A: …``, a blank line after each pair.

- the system text stands before the first pair; ``user`` is ``Q:``, ``assistant`` is ``A:``
- every other role is written as ``Q:`` (``role-changed``); contents are trimmed
- the cue is ``A:``; a reply ends where the next ``Q:`` would begin
- read back, the pairs could also be one user message, or named examples of the system
  (``example_user``, ``example_assistant``): such a reading is always ``ambiguous``
"""

from __future__ import annotations

from ..grammar import ALL_ROLES, Grammar, Turn

GRAMMAR = Grammar(
    name="few-shot",
    turns={"user": Turn("Q: ", "\n"), "assistant": Turn("A: ", "\n\n")},
    cue="A:",
    system="prefix",
    system_turn=Turn("", "\n\n"),
    labels={"Q": "user", "A": "assistant", "Question": "user", "Answer": "assistant"},
    stop=("\nQ:",),
    trim=ALL_ROLES,
    is_certain=False,
    mapping="Q:/A: pairs, the system text before them",
)
