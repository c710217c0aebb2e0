"""Moonshot's formats: a token a role with the role's name behind it (K2), headers with attributes (K3).

- ``kimi-k2``: ``<|im_user|>user<|im_middle|>content<|im_end|>``
- ``kimi-k2-thinking``: the same with reasoning in ``<think>``; of turns before the last user message
  it is left out (``by-format-rule``)
- ``kimi-k3``: ``<|open|>message role="user"<|sep|>content<|close|>message<|sep|><|end_of_msg|>``

``developer`` is written as ``system``, ``tool`` as ``user`` (``role-changed``).
"""

from __future__ import annotations

from ..calls import Calls
from ..declared import Declared
from ..grammar import Grammar, Thinking, Turn

_ROLES = {"system": "system", "user": "user", "assistant": "assistant"}

KIMI_K2 = Grammar(
    name="kimi-k2",
    turns={
        **{role: Turn(f"<|im_{role}|>{role}<|im_middle|>", "<|im_end|>") for role in _ROLES},
        "tool": Turn("<|im_system|>tool<|im_middle|>", "<|im_end|>"),
    },
    cue="<|im_assistant|>assistant<|im_middle|>",
    role_map={"developer": "system"},
    default_system="You are Kimi, an AI assistant created by Moonshot AI.",
    markers=(
        "<|im_system|>",
        "<|im_user|>",
        "<|im_assistant|>",
        "<|im_middle|>",
        "<|im_end|>",
        "<|tool_calls_section_begin|>",
        "<|tool_calls_section_end|>",
        "<|tool_call_begin|>",
        "<|tool_call_argument_begin|>",
        "<|tool_call_end|>",
    ),
    stop=("<|im_end|>",),
    calls=Calls(
        call="<|tool_call_begin|>functions.{name}:{index}<|tool_call_argument_begin|>{arguments}<|tool_call_end|>",
        begin="<|tool_calls_section_begin|>",
        end="<|tool_calls_section_end|>",
        result="## Return of functions.{name}:{index}\\n{content}",
        ids="functions.{name}:{index}",
    ),
    declares=Declared("<|im_system|>tool_declare<|im_middle|>[", "]<|im_end|>", open="", between=", ", place="head"),
    aliases=("kimi",),
    mapping="<|im_user|>user<|im_middle|> … <|im_end|>",
)

KIMI_K2_THINKING = KIMI_K2.variant(
    "kimi-k2-thinking",
    thinking=Thinking("<think>", "</think>", "<think></think>"),
    mapping="Kimi K2 with reasoning in <think>, which is kept of the turns after the last user message",
)


def _message(role: str) -> str:
    return f'<|open|>message role="{role}"<|sep|>'


_END = "<|close|>message<|sep|><|end_of_msg|>"

KIMI_K3 = Grammar(
    name="kimi-k3",
    turns={
        **{role: Turn(_message(role), _END) for role in ("system", "user")},
        "assistant": Turn(_message("assistant"), "<|close|>response<|sep|>" + _END),
    },
    cue=_message("assistant") + "<|open|>think<|sep|>",
    role_map={"developer": "system"},
    bos='<|open|>message role="system" type="thinking-effort"<|sep|>`thinking_effort` guides on how much to think '
    "in your thinking channel (not including the response channel), supported values include "
    "`low`, `medium`, `high`, and `max`.\nNow the system is invoked with `thinking_effort=max`." + _END,
    writes_bos=True,
    thinking=Thinking(
        "<|open|>think<|sep|>",
        "<|close|>think<|sep|><|open|>response<|sep|>",
        "<|open|>think<|sep|><|close|>think<|sep|><|open|>response<|sep|>",
    ),
    markers=("<|open|>", "<|close|>", "<|sep|>", "<|end_of_msg|>"),
    stop=("<|end_of_msg|>",),
    mapping='<|open|>message role="user"<|sep|> … <|close|>message<|sep|><|end_of_msg|>',
)

GRAMMARS = (KIMI_K2, KIMI_K2_THINKING, KIMI_K3)
