"""Llama's formats: ``[INST]`` of Llama 2, header tokens of Llama 3.

``llama2``: ``<s>[INST] user [/INST] assistant </s>``, the system text inside the first
user turn between ``<<SYS>>`` and ``<</SYS>>``.

- ``developer`` is written as ``system``, ``tool`` as ``user`` (``role-changed``)
- contents are trimmed; there is no cue: ``[/INST]`` asks for the reply
- a system message after the first turn is written as ``user`` (``role-changed``)
- the tokenizer adds the first ``<s>``: a prompt without it is read as well. ``llama2-bare`` has none
  between its turns either

``llama3``: ``<|start_header_id|>role<|end_header_id|>``, two line breaks, the content,
``<|eot_id|>``.

- ``developer`` is written as ``system``, ``tool`` as ``ipython`` (its name there)
- contents are trimmed; the stop is ``<|eot_id|>``
- the tokenizer adds ``<|begin_of_text|>``: it is read, and written where asked for

``llama3.1`` is the same with ``Cutting Knowledge Date: December 2023`` and ``Today Date:
26 Jul 2024`` (the date its template names where none is given) before the system text;
it is added (``synthesised``) and, read, taken for nothing said.

``llama4`` has shorter names of the tokens: ``<|header_start|>``, ``<|header_end|>``, ``<|eot|>``.
"""

from __future__ import annotations

from dataclasses import replace

from ..calls import Calls
from ..declared import Declared
from ..grammar import ALL_ROLES, Grammar, Turn, turns_of
from ..tool_notations import Json

LLAMA2 = Grammar(
    name="llama2",
    turns={"user": Turn("<s>[INST] ", " [/INST]"), "assistant": Turn(" ", " </s>")},
    system="first-user",
    system_turn=Turn("<<SYS>>\n", "\n<</SYS>>\n\n"),
    role_map={"developer": "system"},
    bos="<s>",
    markers=("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<s>", "</s>"),
    stop=("</s>", "[INST]"),
    trim=ALL_ROLES,
    aliases=("llama-2-chat",),
    mapping="<s>[INST] user [/INST] assistant </s>; the system text in <<SYS>> of the first user turn",
)

LLAMA2_BARE = LLAMA2.variant(
    "llama2-bare",
    turns={"user": Turn("[INST] ", " [/INST]"), "assistant": Turn(" ", " </s>")},
    aliases=(),
    mapping="Llama 2 with nothing between its turns",
)

_HEADER = "<|start_header_id|>{}<|end_header_id|>\n\n"
_ROLES = {"system": "system", "user": "user", "assistant": "assistant", "tool": "ipython"}

LLAMA3 = Grammar(
    name="llama3",
    turns=turns_of(_HEADER, "<|eot_id|>", _ROLES),
    cue=_HEADER.format("assistant"),
    role_map={"developer": "system"},
    bos="<|begin_of_text|>",
    markers=("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|eom_id|>"),
    stop=("<|eot_id|>", "<|eom_id|>"),
    trim=ALL_ROLES,
    aliases=("llama-3-instruct",),
    mapping="<|start_header_id|>role<|end_header_id|> … <|eot_id|>; contents trimmed",
)

_JSON = Calls(call='{"name": "{name}", "parameters": {arguments}}', between="; ", result="{string}")

_TOOLS = Declared(
    "Given the following functions, please respond with a JSON for a function call with its proper arguments that best "
    'answers the given prompt.\n\nRespond in the format {"name": function name, "parameters": dictionary of argument '
    "name and its value}.Do not use variables.\n\n",
    "",
    open="",
    close="\n\n",
    place="first-user",
    notation=Json(indent=4),
    environment="Environment: ipython\n",
)

LLAMA31 = LLAMA3.variant(
    "llama3.1",
    calls=_JSON,
    declares=_TOOLS,
    system_prefix="Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n",
    sheet=r"\nCutting Knowledge Date: [^\n]*\n\n|\n?Cutting Knowledge Date: [^\n]*\n(?:Today Date: [^\n]*\n)?\n(.*)",
    aliases=("llama3.2", "llama3.3"),
    mapping="Llama 3 with the dates of its template before the system text",
)

LLAMA4 = LLAMA3.variant(
    "llama4",
    declares=_TOOLS,
    calls=replace(_JSON, begin="<|python_start|><|python_end|>", between=""),
    turns=turns_of("<|header_start|>{}<|header_end|>\n\n", "<|eot|>", _ROLES),
    cue="<|header_start|>assistant<|header_end|>\n\n",
    markers=(
        "<|begin_of_text|>",
        "<|header_start|>",
        "<|header_end|>",
        "<|eot|>",
        "<|eom|>",
        "<|python_start|>",
        "<|python_end|>",
    ),
    stop=("<|eot|>", "<|eom|>"),
    mapping="<|header_start|>role<|header_end|> … <|eot|>; contents trimmed",
)

GRAMMARS = (LLAMA2, LLAMA2_BARE, LLAMA3, LLAMA31, LLAMA4)
