"""Formats of headings at line starts: Alpaca and SOLAR.

``alpaca``: the preamble, ``### Instruction:``, ``### Response:``, blank lines between.

- the system text stands in the place of the preamble; without one, Alpaca's own is
  written (``synthesised``), and read as nothing said
- one turn is what the format was made for; further turns follow in the same way
- contents are trimmed; every other role is written as an instruction (``role-changed``)

``guanaco``: ``### Human: …### Assistant: …`` on one line.

``solar``: ``### System:``, ``### User:``, ``### Assistant:``, blank lines between.

Headings are text that anyone can write, so a reading is ``ambiguous``.
"""

from __future__ import annotations

from ..grammar import ALL_ROLES, Grammar, Turn

#: The preamble of the Stanford Alpaca project (2023) for a task without further input.
PREAMBLE = "Below is an instruction that describes a task. Write a response that appropriately completes the request."

ALPACA = Grammar(
    name="alpaca",
    turns={"user": Turn("### Instruction:\n", "\n\n"), "assistant": Turn("### Response:\n", "\n\n")},
    cue="### Response:\n",
    system="prefix",
    system_turn=Turn("", "\n\n"),
    default_system=PREAMBLE,
    sheet=r"Below is an instruction that describes a task, paired with an input [^.]*\. Write a response[^.]*\.",
    is_implied=True,
    role_map={"developer": "system"},
    labels={"### Instruction": "user", "### Response": "assistant"},
    stop=("### Instruction:",),
    trim=ALL_ROLES,
    is_certain=False,
    mapping="preamble, ### Instruction:, ### Response:",
)

SOLAR = Grammar(
    name="solar",
    turns={
        "system": Turn("### System:\n", "\n\n"),
        "user": Turn("### User:\n", "\n\n"),
        "assistant": Turn("### Assistant:\n", "\n\n"),
    },
    cue="### Assistant:\n",
    role_map={"developer": "system"},
    labels={"### System": "system", "### User": "user", "### Assistant": "assistant"},
    stop=("### User:",),
    trim=ALL_ROLES,
    is_certain=False,
    mapping="### System:, ### User:, ### Assistant:",
)

GUANACO = Grammar(
    name="guanaco",
    turns={"user": Turn("### Human: ", ""), "assistant": Turn("### Assistant: ", "")},
    cue="### Assistant:",
    system="prefix",
    role_map={"developer": "system"},
    labels={"### Human": "user", "### Assistant": "assistant"},
    opens_anywhere=True,
    stop=("### Human:",),
    is_certain=False,
    mapping="### Human: …### Assistant: …, nothing between",
)

GRAMMARS = (ALPACA, SOLAR, GUANACO)
