"""DeepSeek's formats: labels in V2, special tokens in V3, headings in the coder.

- ``deepseek-v2``: the system text, ``User: …``, ``Assistant: …<｜end▁of▁sentence｜>``, blank
  lines between; the end of a user turn is unmarked, so a reading is ``ambiguous``
- ``deepseek-v3`` (R1 too): the system text, ``<｜User｜>…<｜Assistant｜>…<｜end▁of▁sentence｜>``
- ``deepseek-v3.1``: V3 with ``</think>`` before every reply; ``deepseek-v3.1-thinking`` begins the
  reasoning in the generation prompt
- ``deepseek-coder``: the system text, ``### Instruction:``, ``### Response:``, ``<|EOT|>``

Results of tools stand behind the calls (in V3 and R1 in a frame of all), and the reply goes on behind them without a
mark. V3 declares tools as the template of R1 of May 2025 does; V3.1 has no place for them.

The system text stands before the first turn. ``developer`` is written as ``system``, a ``tool`` message that answers
no call as ``user`` (``role-changed``). The tokenizer adds the mark of the beginning.
"""

from __future__ import annotations

from ..calls import Calls
from ..declared import Declared
from ..grammar import Grammar, Thinking, Turn

_BOS, _EOS = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"

_CALLS = ("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>")
_OUTPUTS = ("<｜tool▁outputs▁begin｜>", "<｜tool▁outputs▁end｜>")
_OUTPUT = ("<｜tool▁output▁begin｜>", "<｜tool▁output▁end｜>")
_CALL = ("<｜tool▁call▁begin｜>", "<｜tool▁sep｜>", "<｜tool▁call▁end｜>")

V3 = Grammar(
    name="deepseek-v3",
    turns={"user": Turn("<｜User｜>", ""), "assistant": Turn("<｜Assistant｜>", _EOS), "tool": Turn(*_OUTPUTS)},
    cue="<｜Assistant｜>",
    system="prefix",
    role_map={"developer": "system"},
    bos=_BOS,
    calls=Calls(
        call=f"{_CALL[0]}function{_CALL[1]}{{name}}\n```json\n{{arguments}}\n```{_CALL[2]}",
        begin=_CALLS[0],
        between="\n",
        end=_CALLS[1],
        result=f"{_OUTPUT[0]}{{content}}{_OUTPUT[1]}",
        joined="\n",
        resumes=True,
    ),
    declares=Declared(
        "You are a helpful assistant with tool calling capabilities. When a tool call is needed, you MUST use the "
        f"following format to issue the call:\n{_CALLS[0]}{_CALL[0]}function{_CALL[1]}FUNCTION_NAME\n"
        f'```json\n{{"param1": "value1", "param2": "value2"}}\n```{_CALL[2]}{_CALLS[1]}\n\nMake sure the JSON is valid.'
        "## Tools\n\n### Function\n\nYou have the following functions available:\n\n",
        "",
        open="\n```json\n",
        close="\n```\n",
    ),
    markers=("<｜User｜>", "<｜Assistant｜>", _EOS, _BOS, *_CALLS, *_CALL, *_OUTPUTS, *_OUTPUT),
    stop=(_EOS,),
    aliases=("deepseek", "deepseek-r1"),
    mapping="system<｜User｜>user<｜Assistant｜>assistant<｜end▁of▁sentence｜>",
)

V2 = V3.variant(
    "deepseek-v2",
    calls=None,
    declares=None,
    turns={"user": Turn("User: ", "\n\n"), "assistant": Turn("Assistant: ", _EOS)},
    cue="Assistant:",
    system_turn=Turn("", "\n\n"),
    markers=(_EOS, _BOS),
    labels={"User": "user", "Assistant": "assistant"},
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
    is_certain=False,
    mapping="### Instruction: … ### Response: … <|EOT|>",
)

V31 = V3.variant(
    "deepseek-v3.1",
    turns={**V3.turns, "tool": Turn(*_OUTPUT)},
    calls=Calls(
        call=f"{_CALL[0]}{{name}}{_CALL[1]}{{arguments}}{_CALL[2]}", begin=_CALLS[0], end=_CALLS[1], resumes=True
    ),
    declares=None,
    cue="<｜Assistant｜></think>",
    thinking=Thinking("<think>", "</think>", "</think>"),
    aliases=("deepseek-v3.2",),
    mapping="DeepSeek V3, an empty reasoning ended before every reply",
)

V31_THINKING = V31.variant(
    "deepseek-v3.1-thinking",
    cue="<｜Assistant｜><think>",
    mapping="DeepSeek V3.1, the generation prompt beginning the reasoning",
)

#: The template of the first weeks wrote the empty reasoning whole.
V31_EMPTY = V31.variant(
    "deepseek-v3.1-empty",
    cue="<｜Assistant｜><think></think>",
    thinking=Thinking("<think>", "</think>", "<think></think>"),
    mapping="DeepSeek V3.1 with <think></think> before every reply",
)

V2_TOKENS = V3.variant(
    "deepseek-v2-tokens",
    system_turn=Turn("", "\n\n"),
    mapping="DeepSeek V3's tokens, two line breaks after the system text",
)

#: Baidu's format is made in the same way.
ERNIE = V2.variant(
    "ernie-4.5",
    turns={"user": Turn("User: ", "\n"), "assistant": Turn("Assistant: ", "<|end_of_sentence|>")},
    cue="Assistant: ",
    system_turn=Turn("", "\n"),
    bos="<|begin_of_sentence|>",
    markers=("<|begin_of_sentence|>", "<|end_of_sentence|>"),
    stop=("<|end_of_sentence|>",),
    mapping="<|begin_of_sentence|>system, User: …, Assistant: …<|end_of_sentence|>",
)

GRAMMARS = (V3, V2, CODER, V31, V31_THINKING, V31_EMPTY, V2_TOKENS, ERNIE)
