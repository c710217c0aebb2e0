"""A transcript: each turn begins with a speaker label at the start of a line.

- ``System: …``, ``User: …``, ``Assistant: …``, ``Tool: …``, a blank line between turns
- ``developer`` is written as ``System`` (``role-changed``); names and media are lost
- the cue is an empty ``Assistant:``; a reply ends where ``User:`` would begin
- a content whose line begins with a label would read as a turn: the guard puts a
  space before it (``escaped``)
- read back, contents are stripped of outer white space
"""

from __future__ import annotations

from .grammar import Grammar, Turn

_LABELS = {"System": "system", "User": "user", "Assistant": "assistant", "Tool": "tool"}

#: Labels of other transcripts that a reader takes for turns, beside those written here.
READ_LABELS = {
    "Human": "user", "Customer": "user", "Q": "user", "Question": "user", "Student": "user", "Me": "user",
    "AI": "assistant", "Bot": "assistant", "A": "assistant", "Answer": "assistant", "Chatbot": "assistant",
    "Agent": "assistant", "Tutor": "assistant",
}  # fmt: skip

GRAMMAR = Grammar(
    name="transcript",
    turns={role: Turn(f"{label}: ", "") for label, role in _LABELS.items()},
    separator="\n\n",
    cue="Assistant:",
    labels={**_LABELS, **READ_LABELS},
    role_map={"developer": "system"},
    stop=("\nUser:", "\nSystem:"),
    trim=True,
    mapping="System:/User:/Assistant:/Tool: labels at line starts; names and media are lost",
)
