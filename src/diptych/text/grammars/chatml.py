"""ChatML: ``<|im_start|>role`` and ``<|im_end|>`` around each turn.

- every role, ``developer`` and ``tool`` included, is written under its own name
- contents are kept byte for byte, no trimming; names and media are lost
- the cue is ``<|im_start|>assistant`` and a line break; the stop is ``<|im_end|>``
- a content that holds a marker would read as a turn: the guard breaks the marker up
  with a zero-width space (``escaped``)

Variants: ``chatml-qwen`` adds Qwen 2.5's own system message where there is none
(``synthesised``) and knows no ``developer`` (written as ``system``). ``phi4`` has
``<|im_sep|>`` after the role and no line breaks.
"""

from __future__ import annotations

from ..grammar import Grammar, turns_of

_ROLES = {role: role for role in ("system", "developer", "user", "assistant", "tool")}
_OWN = {role: role for role in ("system", "user", "assistant", "tool")}

CHATML = Grammar(
    name="chatml",
    turns=turns_of("<|im_start|>{}\n", "<|im_end|>\n", _ROLES),
    cue="<|im_start|>assistant\n",
    markers=("<|im_start|>", "<|im_end|>"),
    stop=("<|im_end|>",),
    mapping="<|im_start|>role … <|im_end|>; contents byte for byte; names and media are lost",
)

QWEN = CHATML.variant(
    "chatml-qwen",
    turns=turns_of("<|im_start|>{}\n", "<|im_end|>\n", _OWN),
    role_map={"developer": "system"},
    default_system="You are Qwen, created by Alibaba Cloud. You are a helpful assistant.",
    stop=("<|im_end|>", "<|endoftext|>"),
    aliases=("qwen", "qwen2.5"),
    mapping="ChatML with the system message of Qwen 2.5 where there is none",
)

PHI4 = CHATML.variant(
    "phi4",
    turns=turns_of("<|im_start|>{}<|im_sep|>", "<|im_end|>", _OWN),
    role_map={"developer": "system"},
    cue="<|im_start|>assistant<|im_sep|>",
    markers=("<|im_start|>", "<|im_end|>", "<|im_sep|>"),
    aliases=("chatml-phi4",),
    mapping="<|im_start|>role<|im_sep|> … <|im_end|>, no line breaks",
)

GRAMMARS = (CHATML, QWEN, PHI4)
