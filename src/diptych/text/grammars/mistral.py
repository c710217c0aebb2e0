"""Mistral's formats: one grammar whose versions differ in spaces and in the system text.

- ``mistral-v1``: `` [INST] user [/INST] assistant</s>``
- ``mistral-v3``: ``[INST] user[/INST] assistant</s>``
- ``mistral-tekken`` (v3 of Nemo): ``[INST]user[/INST]assistant</s>``
- ``mistral-v7``: ``[SYSTEM_PROMPT] system[/SYSTEM_PROMPT][INST] user[/INST] assistant</s>``
- ``mistral-v7-tekken`` (v11 and v13, too): the same without spaces
- ``mistral-v1-tight``: v1 without a space before ``[INST]``, as the model card shows it
- ``mistral-v1-spaced``, ``mistral-tekken-spaced``: templates of the community

The system text becomes part of the first user message (v1) or of the last (v3,
tekken), two line breaks after it, and cannot be told from it again (``merged``); only v7
has a turn for it. Neighbours of one role are joined by two line breaks (``merged``).
``developer`` is written as ``system``, ``tool`` as ``user`` (``role-changed``).
``[/INST]`` asks for the reply; the stop is ``</s>``.
The tokenizer adds
``<s>``: it is read, and written where asked for.
"""

from __future__ import annotations

from ..grammar import Grammar, Turn

V1 = Grammar(
    name="mistral-v1",
    turns={"user": Turn(" [INST] ", " [/INST]"), "assistant": Turn(" ", "</s>")},
    system="first-user",
    system_turn=Turn("", "\n\n"),
    role_map={"developer": "system"},
    bos="<s>",
    markers=("[INST]", "[/INST]", "</s>"),
    stop=("</s>",),
    joins="\n\n",
    aliases=("mistral", "mistral-instruct"),
    mapping="[INST] user [/INST] assistant</s>; the system text becomes part of the first user message",
)

V3 = V1.variant(
    "mistral-v3",
    turns={"user": Turn("[INST] ", "[/INST]"), "assistant": Turn(" ", "</s>")},
    system="last-user",
    mapping="[INST] user[/INST] assistant</s>; the system text becomes part of the last user message",
)

TEKKEN = V3.variant(
    "mistral-tekken",
    turns={"user": Turn("[INST]", "[/INST]"), "assistant": Turn("", "</s>")},
    aliases=("mistral-nemo", "mistral-v3-tekken"),
    mapping="[INST]user[/INST]assistant</s>; the system text becomes part of the last user message",
)

V7 = V3.variant(
    "mistral-v7",
    turns={
        "system": Turn("[SYSTEM_PROMPT] ", "[/SYSTEM_PROMPT]"),
        "user": Turn("[INST] ", "[/INST]"),
        "assistant": Turn(" ", "</s>"),
    },
    system="turn",
    system_turn=Turn("", ""),
    markers=("[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "</s>"),
    aliases=("mistral-large-2411",),
    mapping="[SYSTEM_PROMPT] system[/SYSTEM_PROMPT][INST] user[/INST] assistant</s>",
)

V7_TEKKEN = V7.variant(
    "mistral-v7-tekken",
    turns={
        "system": Turn("[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"),
        "user": Turn("[INST]", "[/INST]"),
        "assistant": Turn("", "</s>"),
    },
    aliases=("mistral-v11", "mistral-v13", "mistral-small-3"),
    mapping="[SYSTEM_PROMPT]system[/SYSTEM_PROMPT][INST]user[/INST]assistant</s>",
)

# Templates that the community wrote before there were official ones.
V1_SPACED = V1.variant(
    "mistral-v1-spaced",
    turns={"user": Turn(" [INST] ", " [/INST]"), "assistant": Turn(" ", " </s>")},
    mapping="mistral-v1 with a space before </s>",
)
V1_TIGHT = V1.variant(
    "mistral-v1-tight",
    turns={"user": Turn("[INST] ", " [/INST]"), "assistant": Turn(" ", "</s>")},
    mapping="mistral-v1 without a space before [INST], as its model card shows it",
)
TEKKEN_SPACED = TEKKEN.variant(
    "mistral-tekken-spaced",
    turns={"user": Turn("[INST]", "[/INST]"), "assistant": Turn(" ", " </s>")},
    mapping="mistral-tekken with spaces around the reply",
)

GRAMMARS = (V1, V3, TEKKEN, V7, V7_TEKKEN, V1_TIGHT, V1_SPACED, TEKKEN_SPACED)
