"""ChatML: ``<|im_start|>role`` and ``<|im_end|>`` around each turn.

- every role, ``developer`` and ``tool`` included, is written under its own name
- contents are kept byte for byte, no trimming; names and media are lost
- the cue is ``<|im_start|>assistant`` and a line break; the stop is ``<|im_end|>``
- a content that holds a marker would read as a turn: the guard breaks the marker up
  with a zero-width space (``escaped``)
"""

from __future__ import annotations

from .grammar import Grammar, Turn

GRAMMAR = Grammar(
    name="chatml",
    turns={
        role: Turn(f"<|im_start|>{role}\n", "<|im_end|>\n")
        for role in ("system", "developer", "user", "assistant", "tool")
    },
    cue="<|im_start|>assistant\n",
    markers=("<|im_start|>", "<|im_end|>"),
    stop=("<|im_end|>",),
    mapping="<|im_start|>role … <|im_end|>; contents byte for byte; names and media are lost",
)
