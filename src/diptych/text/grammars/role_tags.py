"""Formats with a special token a role: ``<|user|>``, ``<|assistant|>``, ``<|system|>``.

- ``phi3``: ``<|user|>``, a line break, the content, ``<|end|>`` and a line break
- ``zephyr``: the same with ``</s>`` and a line break
- ``command-r``: ``<|START_OF_TURN_TOKEN|><|USER_TOKEN|>content<|END_OF_TURN_TOKEN|>``;
  contents are trimmed
- ``openchat``: ``GPT4 Correct User: content<|end_of_turn|>``; contents are trimmed, the
  system text is a turn without a label

``developer`` is written as ``system``; ``tool`` as ``user`` (``role-changed``) where there is
no turn for it.
"""

from __future__ import annotations

from ..grammar import ALL_ROLES, Grammar, Turn, turns_of

_ROLES = {"system": "system", "user": "user", "assistant": "assistant"}

PHI3 = Grammar(
    name="phi3",
    turns=turns_of("<|{}|>\n", "<|end|>\n", _ROLES),
    cue="<|assistant|>\n",
    role_map={"developer": "system"},
    markers=("<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
    stop=("<|end|>", "<|endoftext|>"),
    aliases=("phi-3-mini", "phi3.5"),
    mapping="<|role|> … <|end|>",
)

ZEPHYR = PHI3.variant(
    "zephyr",
    turns=turns_of("<|{}|>\n", "</s>\n", _ROLES),
    markers=("<|system|>", "<|user|>", "<|assistant|>", "</s>"),
    stop=("</s>",),
    mapping="<|role|> … </s>",
)

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

OPENCHAT = Grammar(
    name="openchat",
    turns={
        "user": Turn("GPT4 Correct User: ", "<|end_of_turn|>"),
        "assistant": Turn("GPT4 Correct Assistant: ", "<|end_of_turn|>"),
    },
    cue="GPT4 Correct Assistant:",
    system="prefix",
    system_turn=Turn("", "<|end_of_turn|>"),
    role_map={"developer": "system"},
    bos="<s>",
    markers=("<|end_of_turn|>", "GPT4 Correct User:", "GPT4 Correct Assistant:"),
    stop=("<|end_of_turn|>",),
    trim=ALL_ROLES,
    mapping="GPT4 Correct User: … <|end_of_turn|>",
)

GRAMMARS = (PHI3, ZEPHYR, COMMAND_R, OPENCHAT)
