"""Gemma: ``<start_of_turn>user`` and ``<end_of_turn>``; the assistant is ``model``.

- contents are trimmed; there is no system turn: the system text becomes the start of
  the first user message (``merged``), two line breaks after it
- ``developer`` is written as ``system``, a ``tool`` message that answers no call as ``user`` (``role-changed``)
- the cue is ``<start_of_turn>model`` and a line break; the stop is ``<end_of_turn>``
- the tokenizer adds ``<bos>``: it is read, and written where asked for

Calls of ``gemma4`` and their results stand in one turn of the model, in a notation of their own; behind results the
turn goes on.

``gemma4`` has ``<|turn>`` and ``<turn|>``, and a system turn of its own; its generation prompt ends an
empty thought, that of ``gemma4-thinking`` does not.
"""

from __future__ import annotations

from ..braces import Declaration
from ..calls import Calls
from ..declared import Declared
from ..grammar import ALL_ROLES, Grammar, Thinking, Turn, turns_of

GEMMA = Grammar(
    name="gemma",
    turns=turns_of("<start_of_turn>{}\n", "<end_of_turn>\n", {"user": "user", "assistant": "model"}),
    cue="<start_of_turn>model\n",
    system="first-user",
    system_turn=Turn("", "\n\n"),
    role_map={"developer": "system"},
    bos="<bos>",
    markers=("<start_of_turn>", "<end_of_turn>"),
    stop=("<end_of_turn>",),
    trim=ALL_ROLES,
    aliases=("gemma2", "gemma3"),
    mapping="<start_of_turn>user/model … <end_of_turn>; contents trimmed; the system text joins the first user message",
)

GEMMA4 = GEMMA.variant(
    "gemma4",
    turns={
        **turns_of("<|turn>{}\n", "<turn|>\n", {"system": "system", "user": "user", "assistant": "model"}),
        "tool": Turn("<|tool_response>", "<tool_response|>"),
    },
    calls=Calls(
        call="<|tool_call>call:{name}{arguments}<tool_call|>",
        result='response:{name}{value:<|"|>{content}<|"|>}',
        close="<|tool_response>",
        is_braced=True,
        resumes=True,
        inside=True,
    ),
    declares=Declared("<|tool>", "<tool|>", open="", joined="", between="<tool|><|tool>", notation=Declaration()),
    cue="<|turn>model\n<|channel>thought\n<channel|>",
    system="turn",
    system_turn=Turn("", ""),
    thinking=Thinking("<|channel>thought\n", "<channel|>"),
    markers=(
        "<|turn>",
        "<turn|>",
        "<|tool>",
        "<tool|>",
        "<|tool_call>",
        "<tool_call|>",
        "<|tool_response>",
        "<tool_response|>",
    ),
    stop=("<turn|>",),
    mapping="<|turn>system/user/model … <turn|>; contents trimmed",
)

GEMMA4_THINKING = GEMMA4.variant(
    "gemma4-thinking",
    cue="<|turn>model\n",
    mapping="Gemma 4, the generation prompt leaving the model to think",
)

GRAMMARS = (GEMMA, GEMMA4, GEMMA4_THINKING)
