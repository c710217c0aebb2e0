"""Formats with fixed names of the speakers: Vicuna, Claude's text prompts, Falcon.

- ``vicuna``: ``system USER: … ASSISTANT: …</s>``, spaces between; ``vicuna-lines`` has
  line breaks instead. The end of a user turn is unmarked
- ``claude`` (Text Completions): the system text, ``Human: …``, ``Assistant: …``, a blank
  line before each name; text after the last ``Assistant:`` begins the reply
- ``falcon-chat`` (180B): ``System: …``, ``User: …``, ``Falcon: …``, a line each
- ``falcon`` (instruct): the system text, ``User: …``, ``Assistant: …``, blank lines between

The system text stands before the first turn; ``developer`` is written as ``system``, ``tool``
as ``user`` (``role-changed``); contents are trimmed. Names are text that anyone can write,
so a reading is ``ambiguous``.
"""

from __future__ import annotations

from ..grammar import ALL_ROLES, Grammar, Turn

CLAUDE = Grammar(
    name="claude",
    turns={"user": Turn("\n\nHuman: ", ""), "assistant": Turn("\n\nAssistant: ", "")},
    cue="\n\nAssistant:",
    system="prefix",
    role_map={"developer": "system"},
    labels={"Human": "user", "Assistant": "assistant"},
    stop=("\n\nHuman:",),
    trim=ALL_ROLES,
    is_certain=False,
    aliases=("anthropic-text", "claude-text"),
    mapping="system, \\n\\nHuman: …, \\n\\nAssistant: …",
)

VICUNA = Grammar(
    name="vicuna",
    turns={"user": Turn("USER: ", " "), "assistant": Turn("ASSISTANT: ", "</s>")},
    cue="ASSISTANT:",
    system="prefix",
    system_turn=Turn("", " "),
    role_map={"developer": "system"},
    markers=("USER:", "ASSISTANT:", "</s>"),
    stop=("</s>", "USER:"),
    trim=frozenset({"system", "user"}),
    is_certain=False,
    aliases=("vicuna-v1.1",),
    mapping="system USER: user ASSISTANT: assistant</s>",
)

VICUNA_LINES = VICUNA.variant(
    "vicuna-lines",
    turns={"user": Turn("USER: ", "\n"), "assistant": Turn("ASSISTANT: ", "</s>\n")},
    system_turn=Turn("", "\n\n"),
    aliases=("vicuna-orca",),
    mapping="Vicuna with a line break after each turn",
)

FALCON_CHAT = Grammar(
    name="falcon-chat",
    turns={"system": Turn("System: ", "\n"), "user": Turn("User: ", "\n"), "assistant": Turn("Falcon: ", "\n")},
    cue="Falcon:",
    role_map={"developer": "system"},
    labels={"System": "system", "User": "user", "Falcon": "assistant"},
    stop=("\nUser:", "<|endoftext|>"),
    trim=ALL_ROLES,
    is_certain=False,
    mapping="System: …, User: …, Falcon: …, a line each",
)

FALCON = FALCON_CHAT.variant(
    "falcon",
    turns={"user": Turn("User: ", "\n\n"), "assistant": Turn("Assistant: ", "\n\n")},
    cue="Assistant:",
    system="prefix",
    system_turn=Turn("", "\n\n"),
    markers=("<|endoftext|>",),
    labels={"User": "user", "Assistant": "assistant"},
    mapping="system, User: …, Assistant: …, a blank line between",
)

GRAMMARS = (CLAUDE, VICUNA, VICUNA_LINES, FALCON_CHAT, FALCON)
