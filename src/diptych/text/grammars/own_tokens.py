"""Formats with tokens of one maker's own, which open and end a turn of each role.

- ``granite``: ``<|start_of_role|>user<|end_of_role|>content<|end_of_text|>`` and a line break
- ``jamba``: ``<|bom|><|user|> content<|eom|>``
- ``apertus``, ``ling``, ``muse``, ``spark``: with the lines that their templates write around the system text
- ``exaone``, ``seed-oss``, ``minimax-m2``, ``hunyuan``, ``baichuan2``, ``internlm`` (the first)

``developer`` is written as ``system``, ``tool`` as ``user`` (``role-changed``).
"""

from __future__ import annotations

from ..calls import Calls
from ..declared import Declared
from ..grammar import Grammar, Thinking, Turn, turns_of
from ..tool_notations import Json

_ROLES = {"system": "system", "user": "user", "assistant": "assistant"}

GRANITE = Grammar(
    name="granite",
    turns=turns_of("<|start_of_role|>{}<|end_of_role|>", "<|end_of_text|>\n", _ROLES),
    cue="<|start_of_role|>assistant<|end_of_role|>",
    role_map={"developer": "system"},
    markers=("<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>"),
    stop=("<|end_of_text|>",),
    calls=Calls(
        call='<tool_call>\n{"name": "{name}", "arguments": {arguments}}\n</tool_call>',
        between="\n",
        lead="\n",
        result="\n<tool_response>\n{content}\n</tool_response>",
        joined="",
        turn="user",
    ),
    declares=Declared(
        "You are a helpful assistant with access to the following tools. You may call one or more tools to assist "
        "with the user query.\n\nYou are provided with function signatures within <tools></tools> XML tags:\n<tools>",
        "\n</tools>\n\nFor each tool call, return a json object with function name and arguments within "
        '<tool_call></tool_call> XML tags:\n<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n'
        "</tool_call>. If a tool does not exist in the provided list of tools, notify the user that you do not have "
        "the ability to fulfill the request.",
    ),
    sheet=r"Knowledge Cutoff Date: [^\n]*\nToday's Date: [^\n]*\nYou are Granite, developed by IBM\.[^\n]*",
    aliases=("granite-4",),
    mapping="<|start_of_role|>role<|end_of_role|> … <|end_of_text|>",
)

JAMBA = Grammar(
    name="jamba",
    turns=turns_of("<|bom|><|{}|> ", "<|eom|>", _ROLES),
    cue="<|bom|><|assistant|>",
    role_map={"developer": "system"},
    bos="<|startoftext|>",
    markers=("<|bom|>", "<|eom|>", "<|system|>", "<|user|>", "<|assistant|>"),
    stop=("<|eom|>",),
    mapping="<|bom|><|role|> … <|eom|>",
)

_SHEET = "<|developer_start|>Deliberation: disabled\nTool Capabilities: disabled<|developer_end|>"

APERTUS = Grammar(
    name="apertus",
    turns={
        "system": Turn("<|system_start|>", f"<|system_end|>{_SHEET}", ("<|system_end|>",)),
        **{role: Turn(f"<|{role}_start|>", f"<|{role}_end|>") for role in ("user", "assistant")},
    },
    cue="<|assistant_start|>",
    role_map={"developer": "system"},
    bos="<s>",
    sheet=r"You are Apertus, a helpful assistant created by the SwissAI initiative\.\nKnowledge cutoff: [^\n]*"
    r"\nCurrent date: [^\n]*",
    markers=tuple(f"<|{role}_{end}|>" for role in (*_ROLES, "developer") for end in ("start", "end")),
    stop=("<|assistant_end|>",),
    mapping="<|user_start|> … <|user_end|>; the developer sheet of its template after the system text",
)

SPARK = Grammar(
    name="spark",
    turns={
        role: Turn(f"<｜start▁of▁sentence｜><|{token}|>", "<｜end▁of▁sentence｜>")
        for role, token in (("system", "System"), ("user", "User"), ("assistant", "Bot"))
    },
    cue="<｜start▁of▁sentence｜><|Bot|><think>",
    role_map={"developer": "system"},
    sheet=r"\nyou are a helpful assistant\.(?:\n\n(.*))?",
    thinking=Thinking("<think>", "</think>", "</think>"),
    markers=("<｜start▁of▁sentence｜>", "<|System|>", "<|User|>", "<|Bot|>", "<｜end▁of▁sentence｜>"),
    stop=("<｜end▁of▁sentence｜>",),
    mapping="<｜start▁of▁sentence｜><|User|> … <｜end▁of▁sentence｜>",
)

MUSE = Grammar(
    name="muse",
    turns={
        "system": Turn(
            "<|start|>system<|message|>",
            '\n\nReasoning strength: high.\n\n# Valid recipients: "self", "user".<|eot|>',
            ("<|eot|>",),
        ),
        "user": Turn("<|start|>user<|message|>", "<|eot|>"),
        "assistant": Turn("<|start|>assistant to=user<|message|>", "<|eot|>"),
    },
    cue="<|start|>assistant",
    role_map={"developer": "system"},
    bos="<s>",
    sheet=r"You are a helpful AI assistant\.\nKnowledge cutoff: [\d-]+\.\nCurrent date: [\d-]+\.",
    markers=("<|start|>", "<|message|>", "<|eot|>"),
    stop=("<|eot|>",),
    needs="<|eot|>",
    mapping="<|start|>user<|message|> … <|eot|>; its template's lines after the system text",
)

EXAONE = Grammar(
    name="exaone",
    turns={
        "system": Turn("[|system|]", "[|endofturn|]\n"),
        "user": Turn("[|user|]", "\n"),
        "assistant": Turn("[|assistant|]", "[|endofturn|]\n"),
    },
    cue="[|assistant|]",
    role_map={"developer": "system"},
    bos="[BOS]",
    markers=("[|system|]", "[|user|]", "[|assistant|]", "[|endofturn|]"),
    stop=("[|endofturn|]",),
    needs="[|assistant|]",
    aliases=("exaone-3.5",),
    mapping="[|user|]user, [|assistant|]assistant[|endofturn|]",
)

SEED = Grammar(
    name="seed-oss",
    turns=turns_of("<seed:bos>{}\n", "<seed:eos>", _ROLES),
    cue="<seed:bos>assistant\n",
    role_map={"developer": "system"},
    markers=("<seed:bos>", "<seed:eos>"),
    stop=("<seed:eos>",),
    mapping="<seed:bos>role … <seed:eos>",
)

MINIMAX = Grammar(
    name="minimax-m2",
    turns=turns_of("]~b]{}\n", "[e~[\n", {**_ROLES, "assistant": "ai", "tool": "tool"}),
    calls=Calls(
        call='<invoke name="{name}">\n{arguments}</invoke>',
        argument='<parameter name="{key}">{value}</parameter>\n',
        begin="\n<minimax:tool_call>\n",
        between="\n",
        end="\n</minimax:tool_call>",
        result="<response>{content}</response>",
        joined="\n",
    ),
    cue="]~b]ai\n<think>\n",
    role_map={"developer": "system"},
    bos="]~!b[",
    thinking=Thinking("<think>\n", "\n</think>\n\n"),
    declares=Declared(
        "# Tools\nYou may call one or more tools to assist with the user query.\n"
        "Here are the tools available in JSONSchema format:\n\n<tools>\n",
        "</tools>\n\nWhen making tool calls, use XML format to invoke tools and pass parameters:\n\n"
        '<minimax:tool_call>\n<invoke name="tool-name-1">\n<parameter name="param-key-1">param-value-1</parameter>\n'
        '<parameter name="param-key-2">param-value-2</parameter>\n...\n</invoke>\n</minimax:tool_call>',
        open="<tool>",
        close="</tool>\n",
        notation=Json(is_bare=True),
    ),
    default_system="You are a helpful assistant. Your name is MiniMax-M2.5 and is built by MiniMax.",
    markers=("]~!b[", "]~b]", "[e~["),
    stop=("[e~[",),
    mapping="]~b]role … [e~[",
)

LING = Grammar(
    name="ling",
    turns={
        "system": Turn(
            "<role>SYSTEM</role>",
            "\ndetailed thinking on<|role_end|>",
            ("detailed thinking on<|role_end|>", "<|role_end|>"),
        ),
        "user": Turn("<role>HUMAN</role>", "<|role_end|>"),
        "assistant": Turn("<role>ASSISTANT</role>\n", "<|role_end|>"),
    },
    cue="<role>ASSISTANT</role>\n<think>",
    role_map={"developer": "system"},
    sheet=r"(.*)",
    thinking=Thinking("<think>", "</think>", "<think></think>", keeps_earlier=True),
    markers=("<role>SYSTEM</role>", "<role>HUMAN</role>", "<role>ASSISTANT</role>", "<|role_end|>"),
    stop=("<|role_end|>",),
    mapping="<role>HUMAN</role> … <|role_end|>; its template's word on thinking after the system text",
)

_HY = "<｜hy_{}｜>"

HUNYUAN = Grammar(
    name="hunyuan",
    turns={
        "user": Turn(_HY.format("User"), ""),
        "assistant": Turn(_HY.format("Assistant"), _HY.format("place▁holder▁no▁2")),
    },
    cue=_HY.format("Assistant"),
    system="prefix",
    system_turn=Turn("", _HY.format("place▁holder▁no▁3")),
    role_map={"developer": "system"},
    bos=_HY.format("begin▁of▁sentence"),
    markers=tuple(
        _HY.format(n) for n in ("begin▁of▁sentence", "User", "Assistant", "place▁holder▁no▁2", "place▁holder▁no▁3")
    ),
    stop=(_HY.format("place▁holder▁no▁2"),),
    mapping="system, <｜hy_User｜>user<｜hy_Assistant｜>assistant",
)

BAICHUAN = Grammar(
    name="baichuan2",
    turns={"user": Turn("<reserved_106>", ""), "assistant": Turn("<reserved_107>", "</s>")},
    cue="<reserved_107>",
    system="prefix",
    role_map={"developer": "system"},
    markers=("<reserved_106>", "<reserved_107>", "</s>"),
    stop=("</s>",),
    mapping="system<reserved_106>user<reserved_107>assistant</s>",
)

INTERNLM = Grammar(
    name="internlm",
    turns={"user": Turn("<|User|>:", "<eoh>\n"), "assistant": Turn("<|Bot|>:", "<eoa>\n")},
    cue="<|Bot|>:",
    system="prefix",
    role_map={"developer": "system"},
    bos="<s>",
    markers=("<|User|>", "<|Bot|>", "<eoh>", "<eoa>"),
    stop=("<eoa>",),
    mapping="<|User|>:user<eoh>, <|Bot|>:assistant<eoa>; InternLM 2 has ChatML",
)

GRAMMARS = (GRANITE, JAMBA, APERTUS, SPARK, MUSE, EXAONE, SEED, MINIMAX, LING, HUNYUAN, BAICHUAN, INTERNLM)
