"""ChatML: ``<|im_start|>role`` and ``<|im_end|>`` around each turn.

- every role, ``developer`` and ``tool`` included, is written under its own name
- contents are kept byte for byte, no trimming; media are lost; a name stands after the role
  (``<|im_start|>system name=example_user``)
- the cue is ``<|im_start|>assistant`` and a line break; the stop is ``<|im_end|>``
- a content that holds a marker would read as a turn: the guard breaks the marker up
  with a zero-width space (``escaped``)

Variants: ``chatml-qwen`` adds Qwen 2.5's own system message where there is none
(``synthesised``) and knows no ``developer`` (written as ``system``). ``phi4`` has
``<|im_sep|>`` after the role and no line breaks. ``qwen3`` writes reasoning in ``<think>``; of
turns before the last user message it leaves it out (``by-format-rule``). ``qwen3-thinking`` and
``qwen3-no-think`` differ in the generation prompt. ``nemotron3`` has an empty system message and an
empty reasoning where there is none; ``yi`` has the system text bare before the first turn; ``smollm3`` and
``olmo3`` have their templates' own lines around it.
"""

from __future__ import annotations

from dataclasses import replace

from ..calls import Calls
from ..declared import Declared
from ..grammar import ALL_ROLES, Grammar, Thinking, Turn, turns_of
from ..tool_notations import JSON, Tags

_ROLES = {role: role for role in ("system", "developer", "user", "assistant", "tool")}
_OWN = {role: role for role in ("system", "user", "assistant", "tool")}

CHATML = Grammar(
    name="chatml",
    turns=turns_of("<|im_start|>{}\n", "<|im_end|>\n", _ROLES),
    cue="<|im_start|>assistant\n",
    bos="<s>",
    named=" name={}",
    markers=("<|im_start|>", "<|im_end|>"),
    stop=("<|im_end|>",),
    mapping="<|im_start|>role … <|im_end|>; contents byte for byte; media are lost",
)

#: The calls of Hermes, which Qwen took over.
HERMES = Calls(
    call='<tool_call>\n{"name": "{name}", "arguments": {arguments}}\n</tool_call>',
    between="\n",
    lead="\n",
    result="<tool_response>\n{content}\n</tool_response>",
    joined="\n",
    turn="user",
)

#: How tools are declared beside these calls.
_TOOLS = Declared(
    "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
    "You are provided with function signatures within <tools></tools> XML tags:\n<tools>",
    "\n</tools>\n\nFor each function call, return a json object with function name and arguments within "
    '<tool_call></tool_call> XML tags:\n<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n'
    "</tool_call>",
)

QWEN = CHATML.variant(
    "chatml-qwen",
    declares=_TOOLS,
    turns=turns_of("<|im_start|>{}\n", "<|im_end|>\n", _OWN),
    role_map={"developer": "system"},
    bos="",
    named="",
    calls=HERMES,
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
    bos="",
    named="",
    markers=("<|im_start|>", "<|im_end|>", "<|im_sep|>"),
    aliases=("chatml-phi4",),
    mapping="<|im_start|>role<|im_sep|> … <|im_end|>, no line breaks",
)

_THINKING = Thinking("<think>\n", "\n</think>\n\n", last="<think>\n\n</think>\n\n")

QWEN3 = QWEN.variant(
    "qwen3",
    default_system=None,
    thinking=_THINKING,
    aliases=("qwen3-instruct", "qwq"),
    mapping="ChatML with reasoning in <think>, which is kept of the turns after the last user message",
)

QWEN3_THINKING = QWEN3.variant(
    "qwen3-thinking",
    cue="<|im_start|>assistant\n<think>\n",
    mapping="Qwen 3, the generation prompt beginning the reasoning",
)

#: How tools are declared beside calls of tags.
_CODER_TOOLS = Declared(
    "You have access to the following functions:\n\n<tools>",
    "\n</tools>\n\nIf you choose to call a function ONLY reply in the following format with NO suffix:\n\n<tool_call>\n"
    "<function=example_function_name>\n<parameter=example_parameter_1>\nvalue_1\n</parameter>\n"
    "<parameter=example_parameter_2>\nThis is the value for the second parameter\nthat can span\nmultiple lines\n"
    "</parameter>\n</function>\n</tool_call>\n\n<IMPORTANT>\nReminder:\n- Function calls MUST follow the specified "
    "format: an inner <function=...></function> block must be nested within <tool_call></tool_call> XML tags\n- "
    "Required parameters MUST be specified\n- You may provide optional reasoning for your function call in natural "
    "language BEFORE the function call, but NOT after\n- If there is no function call available, answer the "
    "question like normal with your current knowledge and do not tell the user about function calls\n</IMPORTANT>",
    notation=Tags(),
    alone="You are Qwen, a helpful AI assistant that can interact with a computer to solve tasks.",
)
#: The same under a heading, as later versions have it.
_HEADED_TOOLS = replace(_CODER_TOOLS, before=f"# Tools\n\n{_CODER_TOOLS.before}", alone="")

#: The calls of Qwen3-Coder, which later versions kept.
_CODER = replace(
    HERMES,
    call="<tool_call>\n<function={name}>\n{arguments}</function>\n</tool_call>",
    argument="<parameter={key}>\n{value}\n</parameter>\n",
)

QWEN3_CODER = QWEN3.variant(
    "qwen3-coder",
    thinking=None,
    calls=replace(_CODER, lead="\n\n", result="<tool_response>\n{content}\n</tool_response>\n", joined=""),
    declares=_CODER_TOOLS,
    mapping="Qwen 3 without reasoning, calls as tags for each argument",
)

QWEN35 = QWEN3_THINKING.variant(
    "qwen3.5",
    calls=replace(_CODER, lead="\n\n"),
    declares=replace(_HEADED_TOOLS, notation=JSON, leads=True),
    thinking=Thinking("<think>\n", "\n</think>\n\n", recent="<think>\n\n</think>\n\n"),
    trim=ALL_ROLES,
    aliases=("qwen3.6",),
    mapping="qwen3-thinking with the calls of qwen3-coder; contents trimmed",
)

QWEN3_SILENT = QWEN3.variant(
    "qwen3-no-think",
    cue="<|im_start|>assistant\n<think>\n\n</think>\n\n",
    mapping="Qwen 3, the generation prompt ending an empty reasoning",
)

NEMOTRON3 = QWEN3_THINKING.variant(
    "nemotron3",
    declares=replace(_HEADED_TOOLS, notation=Tags(has_json_lists=True)),
    default_system="",
    is_implied=True,
    thinking=Thinking("<think>\n", "\n</think>\n", "<think></think>"),
    calls=replace(
        _CODER,
        begin="\n",
        end="\n",
        lead="",
        between="\n",
        result="<tool_response>\n{content}\n</tool_response>\n",
        joined="",
    ),
    mapping="ChatML with an empty system message where there is none, and reasoning that is never left out",
)

YI = QWEN.variant(
    "yi",
    declares=None,
    turns={role: turn for role, turn in QWEN.turns.items() if role != "system"},
    system="prefix",
    default_system=None,
    aliases=("yi-1.5",),
    mapping="ChatML with the system text bare before the first turn",
)

SMOLLM3 = QWEN3.variant(
    "smollm3",
    declares=None,
    turns={**QWEN.turns, "system": Turn("<|im_start|>system\n", "\n\n<|im_end|>\n")},
    system_prefix="## Metadata\n\nKnowledge Cutoff Date: June 2025\nReasoning Mode: /think\n\n"
    "## Custom Instructions\n\n",
    sheet=r"## Metadata\n\nKnowledge Cutoff Date: .*?## Custom Instructions\n\n"
    r"(?:You are a helpful AI assistant named SmolLM.*()|(.*))",
    mapping="ChatML with a sheet of metadata before the system text",
)

_NO_FUNCTIONS = "You do not currently have access to any functions. <functions></functions>"

OLMO3 = QWEN.variant(
    "olmo3",
    declares=None,
    default_system=None,
    turns={
        **QWEN.turns,
        "system": Turn(
            "<|im_start|>system\n",
            f" {_NO_FUNCTIONS}<|im_end|>\n",
            ("<|im_end|>\n",),
        ),
    },
    sheet=rf"(?:You are Olmo, [^\n]*|(.*?)) {_NO_FUNCTIONS}|You are Olmo, [^\n]*",
    mapping="ChatML with a word on functions after the system text",
)

GRAMMARS = (CHATML, QWEN, PHI4, QWEN3, QWEN3_THINKING, QWEN3_CODER, QWEN35, QWEN3_SILENT, NEMOTRON3, YI, SMOLLM3, OLMO3)
