"""Mistral's formats: one grammar whose versions differ in spaces and in the system text.

- ``mistral-v1``: `` [INST] user [/INST] assistant</s>``
- ``mistral-v3``: ``[INST] user[/INST] assistant</s>``
- ``mistral-tekken`` (v3 of Nemo): ``[INST]user[/INST]assistant</s>``
- ``mistral-v7``: ``[SYSTEM_PROMPT] system[/SYSTEM_PROMPT][INST] user[/INST] assistant</s>``
- ``mistral-v7-tekken``: the same without spaces; ``mistral-v11`` and ``mistral-v13`` write tool calls otherwise
- ``mistral-v1-tight``: v1 without a space before ``[INST]``, as the model card shows it
- ``mistral-v1-spaced``, ``mistral-tekken-spaced``: templates of the community

The system text becomes part of the first user message (v1) or of the last (v3,
tekken), two line breaks after it, and cannot be told from it again (``merged``); only v7
has a turn for it. Neighbours of one role are joined by two line breaks (``merged``).
Tool calls follow ``[TOOL_CALLS]`` in the formats of Tekken.
``developer`` is written as ``system``, ``tool`` as ``user`` (``role-changed``).
``[/INST]`` asks for the reply; the stop is ``</s>``.
The tokenizer adds
``<s>``: it is read, and written where asked for.
"""

from __future__ import annotations

from dataclasses import replace

from ..calls import Calls
from ..declared import Declared
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

_CALL = '{"name": "{name}", "arguments": {arguments}, "id": "{id}"}'
_V3_CALLS = Calls(
    call=_CALL,
    begin="[TOOL_CALLS][",
    between=", ",
    end="]",
    result='{"content": {json}, "call_id": "{id}"}',
)
_AVAILABLE = ("[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]")
_TOOLS = ("[TOOL_CALLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]", *_AVAILABLE)
_DECLARES = Declared("[AVAILABLE_TOOLS][", "][/AVAILABLE_TOOLS]", open="", between=", ", place="last-user")
#: The formats of SentencePiece have a space behind a mark.
_SPACED = replace(_DECLARES, before="[AVAILABLE_TOOLS] [")

V3 = V1.variant(
    "mistral-v3",
    declares=_SPACED,
    markers=(*V1.markers, *_AVAILABLE),
    turns={"user": Turn("[INST] ", "[/INST]"), "assistant": Turn(" ", "</s>")},
    system="last-user",
    mapping="[INST] user[/INST] assistant</s>; the system text becomes part of the last user message",
)

TEKKEN = V3.variant(
    "mistral-tekken",
    declares=_DECLARES,
    turns={
        "user": Turn("[INST]", "[/INST]"),
        "assistant": Turn("", "</s>"),
        "tool": Turn("[TOOL_RESULTS]", "[/TOOL_RESULTS]"),
    },
    calls=_V3_CALLS,
    markers=(*V1.markers, *_TOOLS),
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
    markers=("[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "</s>", *_AVAILABLE),
    aliases=("mistral-large-2411",),
    mapping="[SYSTEM_PROMPT] system[/SYSTEM_PROMPT][INST] user[/INST] assistant</s>",
)

V7_TEKKEN = V7.variant(
    "mistral-v7-tekken",
    declares=_DECLARES,
    turns={
        "system": Turn("[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"),
        "user": Turn("[INST]", "[/INST]"),
        "assistant": Turn("", "</s>"),
        "tool": Turn("[TOOL_RESULTS]", "[/TOOL_RESULTS]"),
    },
    calls=replace(_V3_CALLS, result="{id}[TOOL_CONTENT]{content}"),
    markers=(*V7.markers, *_TOOLS[:3], "[TOOL_CONTENT]"),
    aliases=("mistral-small-3",),
    mapping="[SYSTEM_PROMPT]system[/SYSTEM_PROMPT][INST]user[/INST]assistant</s>",
)

V11 = V7_TEKKEN.variant(
    "mistral-v11",
    calls=Calls(call="[TOOL_CALLS]{name}[CALL_ID]{id}[ARGS]{arguments}", result="{id}[TOOL_CONTENT]{content}"),
    markers=(*V7_TEKKEN.markers, "[CALL_ID]", "[ARGS]"),
    mapping="mistral-v7-tekken, a mark before each call",
)

V13 = V11.variant(
    "mistral-v13",
    calls=Calls(call="[TOOL_CALLS]{name}[ARGS]{arguments}", result="{id}[TOOL_CONTENT]{content}"),
    mapping="mistral-v11 without the ids of calls",
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
    calls=None,
    declares=None,
    markers=V1.markers,
    turns={"user": Turn("[INST]", "[/INST]"), "assistant": Turn(" ", " </s>")},
    mapping="mistral-tekken with spaces around the reply",
)

GRAMMARS = (V1, V3, TEKKEN, V7, V7_TEKKEN, V11, V13, V1_TIGHT, V1_SPACED, TEKKEN_SPACED)
