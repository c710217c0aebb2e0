"""Cohere's formats: ``<|START_OF_TURN_TOKEN|><|USER_TOKEN|>content<|END_OF_TURN_TOKEN|>``.

- ``command-r``: contents are trimmed
- ``command-r7b``: replies stand between ``<|START_RESPONSE|>`` and ``<|END_RESPONSE|>``; the long
  preamble of its template is read as nothing said, and not written
- ``command-a``: the same, the generation prompt ending an empty reasoning
- calls of these two stand in a turn of their own behind their reasoning, results in a turn of the system;
  tools are read where the preamble declares them as JSON, and not written

``developer`` is written as ``system``, and so is a ``tool`` message that answers no call (``role-changed``).
"""

from __future__ import annotations

from ..calls import Calls
from ..declared import Declared
from ..grammar import ALL_ROLES, Grammar, Turn
from ..tool_notations import Json

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
        "tool": Turn(
            "<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|><|START_TOOL_RESULT|>[\n",
            "\n]<|END_TOOL_RESULT|><|END_OF_TURN_TOKEN|>",
        ),
    },
    calls=Calls(
        call='{"tool_call_id": "{index}", "tool_name": "{name}", "parameters": {arguments}}',
        begin="<|START_ACTION|>[\n    ",
        between=",\n    ",
        end="\n]<|END_ACTION|>",
        result='    {\n        "tool_call_id": "{index}",\n        "results": {\n            "0": {string}\n'
        '        },\n        "is_error": null\n    }',
        joined=",\n",
        open="<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
        close="<|END_OF_TURN_TOKEN|>",
        thought=("<|START_THINKING|>", "<|END_THINKING|>"),
    ),
    markers=(
        *COMMAND_R.markers,
        "<|START_RESPONSE|>",
        "<|END_RESPONSE|>",
        "<|START_ACTION|>",
        "<|END_ACTION|>",
        "<|START_TOOL_RESULT|>",
        "<|END_TOOL_RESULT|>",
    ),
    declares=Declared(
        "\n\n```json\n[\n    ", "\n]\n```\n", open="", between=",\n    ", notation=Json(is_bare=True), is_read_only=True
    ),
    sheet=r"# System Preamble\n(?:(?!```json).)*?# Default Preamble\n.*?step, then answer\."
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
