"""Cohere's formats: ``<|START_OF_TURN_TOKEN|><|USER_TOKEN|>content<|END_OF_TURN_TOKEN|>``.

- ``command-r``: contents are trimmed
- ``command-r7b``: replies stand between ``<|START_RESPONSE|>`` and ``<|END_RESPONSE|>``; the long
  preamble of its template is read as nothing said, and not written
- ``command-a``: the same, the generation prompt ending an empty reasoning

``developer`` and ``tool`` are written as ``system`` (``role-changed``).
"""

from __future__ import annotations

from ..grammar import ALL_ROLES, Grammar, Turn

_ROLES = {"system": "system", "user": "user", "assistant": "assistant"}

COMMAND_R = Grammar(
    name="command-r",
    turns={
        role: Turn(f"<|START_OF_TURN_TOKEN|><|{token}_TOKEN|>", "<|END_OF_TURN_TOKEN|>")
        for role, token in (("system", "SYSTEM"), ("user", "USER"), ("assistant", "CHATBOT"))
    },
    cue="<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
    role_map={"developer": "system", "tool": "system"},
    bos="<BOS_TOKEN>",
    markers=(
        "<|START_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>", "<|SYSTEM_TOKEN|>", "<|USER_TOKEN|>", "<|CHATBOT_TOKEN|>",
    ),
    stop=("<|END_OF_TURN_TOKEN|>",),
    trim=ALL_ROLES,
    aliases=("cohere",),
    mapping="<|START_OF_TURN_TOKEN|><|USER_TOKEN|> … <|END_OF_TURN_TOKEN|>; contents trimmed",
)  # fmt: skip

COMMAND_R7B = COMMAND_R.variant(
    "command-r7b",
    turns={
        **COMMAND_R.turns,
        "assistant": Turn(
            "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|><|START_RESPONSE|>",
            "<|END_RESPONSE|><|END_OF_TURN_TOKEN|>",
            ("<|END_OF_TURN_TOKEN|>",),
        ),
    },
    markers=(*COMMAND_R.markers, "<|START_RESPONSE|>", "<|END_RESPONSE|>"),
    sheet=r"# System Preamble\n.*?# Default Preamble\n.*?step, then answer\."
    r"(?:\n\n# Developer Preamble\n[^\n]*\n(.*))?",
    trim=frozenset(),
    aliases=("command-r7b-12-2024",),
    mapping="Command R with <|START_RESPONSE|> around a reply; the preamble of its template is read as nothing said",
)

COMMAND_A = COMMAND_R7B.variant(
    "command-a",
    cue="<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|><|START_THINKING|><|END_THINKING|>",
    markers=(*COMMAND_R7B.markers, "<|START_THINKING|>", "<|END_THINKING|>"),
    mapping="Command R7B, the generation prompt ending an empty reasoning",
)

GRAMMARS = (COMMAND_R, COMMAND_R7B, COMMAND_A)
