"""Formats with a special token a role: ``<|user|>``, ``<|assistant|>``, ``<|system|>``.

- ``phi3``: ``<|user|>``, a line break, the content, ``<|end|>`` and a line break; ``phi4-mini`` has
  no line breaks, ``apriel`` one more before ``<|end|>``
- ``zephyr``: the same with ``</s>`` and a line break
- ``openchat``: ``GPT4 Correct User: content<|end_of_turn|>``
- ``openassistant``: ``<|prompter|>content<|endoftext|>``
- ``glm4``, ``glm4.5``, ``glm5``, ``metharme``, ``stablelm-alpha``: nothing but the next role ends a turn
- ``olmo``, ``tulu``: the same, but a reply ends in ``</s>`` or ``<|endoftext|>``

``developer`` is written as ``system``; ``tool`` as ``user`` (``role-changed``) where there is
no turn for it.
"""

from __future__ import annotations

from ..calls import Calls
from ..declared import Declared
from ..grammar import Grammar, Thinking, Turn, turns_of
from ..tool_notations import Json

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

OPENCHAT = Grammar(
    name="openchat",
    turns=turns_of("GPT4 Correct {}: ", "<|end_of_turn|>", {role: role.title() for role in _ROLES}),
    cue="GPT4 Correct Assistant:",
    role_map={"developer": "system"},
    bos="<s>",
    markers=("<|end_of_turn|>", "GPT4 Correct System:", "GPT4 Correct User:", "GPT4 Correct Assistant:"),
    stop=("<|end_of_turn|>",),
    mapping="GPT4 Correct User: … <|end_of_turn|>",
)

PHI4_MINI = PHI3.variant(
    "phi4-mini",
    turns=turns_of("<|{}|>", "<|end|>", _ROLES),
    cue="<|assistant|>",
    mapping="<|role|>…<|end|>, no line breaks",
)

APRIEL = PHI3.variant(
    "apriel",
    turns={**turns_of("<|{}|>\n", "\n<|end|>\n", _ROLES), "assistant": Turn("<|assistant|>\n", "\n<|end|>\n</s>")},
    bos="<s>",
    sheet=r"You are a thoughtful and systematic AI assistant built by ServiceNow.*?\[END FINAL RESPONSE\]\.(.+)?",
    aliases=(),
    mapping="Phi 3 with a line break before <|end|>; the preamble of its template is read as nothing said",
)

OPENASSISTANT = Grammar(
    name="openassistant",
    turns={
        role: Turn(f"<|{token}|>", "<|endoftext|>")
        for role, token in (("system", "system"), ("user", "prompter"), ("assistant", "assistant"))
    },
    cue="<|assistant|>",
    role_map={"developer": "system"},
    markers=("<|system|>", "<|prompter|>", "<|assistant|>", "<|endoftext|>"),
    stop=("<|endoftext|>",),
    needs="<|prompter|>",
    aliases=("oasst",),
    mapping="<|prompter|>user<|endoftext|><|assistant|>assistant<|endoftext|>",
)

GLM4 = Grammar(
    name="glm4",
    turns=turns_of("<|{}|>\n", "", {**_ROLES, "tool": "observation"}),
    cue="<|assistant|>\n",
    role_map={"developer": "system"},
    bos="[gMASK]<sop>",
    markers=("<|system|>", "<|user|>", "<|assistant|>", "<|observation|>", "[gMASK]", "<sop>"),
    stop=("<|user|>", "<|observation|>", "<|endoftext|>"),
    aliases=("chatglm4", "codegeex4"),
    mapping="<|role|> and a line break; the next role ends a turn",
)

GLM4_BARE = GLM4.variant(
    "glm4-bare", cue="<|assistant|>", aliases=("glm-edge",), mapping="GLM 4, no line break in the generation prompt"
)

GLM45 = GLM4_BARE.variant(
    "glm4.5",
    turns={**GLM4.turns, "assistant": Turn("<|assistant|>\n", "")},
    thinking=Thinking("<think>", "</think>\n", "<think></think>\n"),
    calls=Calls(
        call="<tool_call>{name}\n{arguments}</tool_call>",
        argument="<arg_key>{key}</arg_key>\n<arg_value>{value}</arg_value>\n",
        between="\n",
        lead="\n",
        result="<tool_response>\n{content}\n</tool_response>",
        joined="\n",
    ),
    declares=Declared(
        "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
        "You are provided with function signatures within <tools></tools> XML tags:\n<tools>\n",
        "</tools>\n\nFor each function call, output the function name and arguments within the following XML format:\n"
        "<tool_call>{function-name}\n<arg_key>{arg-key-1}</arg_key>\n<arg_value>{arg-value-1}</arg_value>\n"
        "<arg_key>{arg-key-2}</arg_key>\n<arg_value>{arg-value-2}</arg_value>\n...\n</tool_call>",
        open="",
        close="\n",
        place="turn",
    ),
    trim=frozenset({"assistant"}),
    mapping="GLM 4 with reasoning in <think>",
)

GLM5 = GLM45.variant(
    "glm5",
    turns=turns_of("<|{}|>", "", {**_ROLES, "tool": "observation"}),
    cue="<|assistant|><think>",
    calls=Calls(
        call="<tool_call>{name}{arguments}</tool_call>",
        argument="<arg_key>{key}</arg_key><arg_value>{value}</arg_value>",
        result="<tool_response>{content}</tool_response>",
        joined="",
    ),
    declares=Declared(
        "\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
        "You are provided with function signatures within <tools></tools> XML tags:\n<tools>\n",
        "</tools>\n\nFor each function call, output the function name and arguments within the following XML format:\n"
        "<tool_call>{function-name}<arg_key>{arg-key-1}</arg_key><arg_value>{arg-value-1}</arg_value>"
        "<arg_key>{arg-key-2}</arg_key><arg_value>{arg-value-2}</arg_value>...</tool_call>",
        open="",
        close="\n",
        place="turn",
        notation=Json(is_bare=True),
    ),
    thinking=Thinking("<think>", "</think>", "</think>", recent="<think></think>"),
    aliases=("glm-5.1", "glm4.7"),
    mapping="GLM 4.5 without line breaks",
)

METHARME = GLM4.variant(
    "metharme",
    turns=turns_of("<|{}|>", "", {**_ROLES, "assistant": "model"}),
    cue="<|model|>",
    bos="<s>",
    markers=("<|system|>", "<|user|>", "<|model|>"),
    stop=("<|user|>",),
    needs="<|model|>",
    aliases=("pygmalion",),
    mapping="<|user|>user<|model|>assistant; the next role ends a turn",
)

STABLELM = METHARME.variant(
    "stablelm-alpha",
    turns=turns_of("<|{}|>", "", {role: role.upper() for role in _ROLES}),
    cue="<|ASSISTANT|>",
    bos="",
    markers=("<|SYSTEM|>", "<|USER|>", "<|ASSISTANT|>"),
    stop=("<|USER|>",),
    needs="",
    aliases=("stablelm",),
    mapping="<|USER|>user<|ASSISTANT|>assistant; the next role ends a turn",
)

OLMO = GLM4_BARE.variant(
    "olmo",
    turns={
        "system": Turn("<|system|>\n", ""),
        "user": Turn("<|user|>\n", ""),
        "assistant": Turn("<|assistant|>\n", "</s>"),
    },
    bos="<s>",
    markers=("<|system|>", "<|user|>", "<|assistant|>", "</s>"),
    stop=("</s>",),
    aliases=("olmoe",),
    mapping="<|role|> and a line break; </s> ends a reply",
)

TULU = OLMO.variant(
    "tulu",
    turns={
        "system": Turn("<|system|>\n", "\n"),
        "user": Turn("<|user|>\n", "\n"),
        "assistant": Turn("<|assistant|>\n", "<|endoftext|>\n"),
    },
    cue="<|assistant|>\n",
    bos="",
    markers=("<|system|>", "<|user|>", "<|assistant|>", "<|endoftext|>"),
    stop=("<|endoftext|>",),
    aliases=("tulu-3", "olmo-2"),
    mapping="<|role|> and a line break; <|endoftext|> ends a reply",
)

GRAMMARS = (
    PHI3,
    ZEPHYR,
    OPENCHAT,
    PHI4_MINI,
    APRIEL,
    OPENASSISTANT,
    GLM4,
    GLM4_BARE,
    GLM45,
    GLM5,
    METHARME,
    STABLELM,
    OLMO,
    TULU,
)
