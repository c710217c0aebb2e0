"""DeepSeek's formats: labels in V2, special tokens in V3, headings in the coder.

- ``deepseek-v2``: the system text, ``User: …``, ``Assistant: …<｜end▁of▁sentence｜>``, blank
  lines between; the end of a user turn is unmarked, so a reading is ``ambiguous``
- ``deepseek-v3`` (R1 too): the system text, ``<｜User｜>…<｜Assistant｜>…<｜end▁of▁sentence｜>``
- ``deepseek-coder``: the system text, ``### Instruction:``, ``### Response:``, ``<|EOT|>``

The system text stands before the first turn. ``developer`` is written as ``system``,
``tool`` as ``user`` (``role-changed``). The tokenizer adds the mark of the beginning.
"""

from __future__ import annotations

from ..grammar import ALL_ROLES, Grammar, Turn

_BOS, _EOS = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"

V3 = Grammar(
    name="deepseek-v3",
    turns={"user": Turn("<｜User｜>", ""), "assistant": Turn("<｜Assistant｜>", _EOS)},
    cue="<｜Assistant｜>",
    system="prefix",
    role_map={"developer": "system"},
    bos=_BOS,
    markers=("<｜User｜>", "<｜Assistant｜>", _EOS, _BOS),
    stop=(_EOS,),
    aliases=("deepseek", "deepseek-r1"),
    mapping="system<｜User｜>user<｜Assistant｜>assistant<｜end▁of▁sentence｜>",
)

V2 = V3.variant(
    "deepseek-v2",
    turns={"user": Turn("User: ", "\n\n"), "assistant": Turn("Assistant: ", _EOS)},
    cue="Assistant:",
    system_turn=Turn("", "\n\n"),
    markers=(_EOS, _BOS),
    labels={"User": "user", "Assistant": "assistant"},
    trim=ALL_ROLES,
    is_certain=False,
    mapping="User: …, Assistant: …<｜end▁of▁sentence｜>; the end of a user turn is unmarked",
)

CODER = Grammar(
    name="deepseek-coder",
    turns={"user": Turn("### Instruction:\n", "\n"), "assistant": Turn("### Response:\n", "\n<|EOT|>\n")},
    cue="### Response:\n",
    system="prefix",
    role_map={"developer": "system"},
    bos=_BOS,
    markers=("<|EOT|>",),
    labels={"### Instruction": "user", "### Response": "assistant"},
    opens_anywhere=True,
    stop=("<|EOT|>",),
    trim=ALL_ROLES,
    is_certain=False,
    mapping="### Instruction: … ### Response: … <|EOT|>",
)

GRAMMARS = (V3, V2, CODER)
