"""The counting rules as data: one row a constant, with its date and its source.

Rule: no number that counts tokens stands anywhere else. ``fitted`` rows were fitted on
recorded usage of the real API (2023-2026) and hold on recordings that were not used
for fitting; ``documented`` rows are the vendor's own statement. ``explain`` finds the
row behind a line of a count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from ..catalogue.table import Family

COOKBOOK: Final = "OpenAI cookbook, num_tokens_from_messages (2023-2025)"
RECORDED: Final = "fitted on recorded usage, 2023-2026; docs/explanation/counting.md"


@dataclass(frozen=True, slots=True)
class FamilyRules:
    """Tokens that the API adds around the texts of a request, for one family of models."""

    message: int = 3  #: each message: start, role border, end
    priming: int = 3  #: the start of the reply
    past_assistant: int = 0  #: each past assistant message: its channel
    call: int = 7  #: an assistant message that is one tool call, beside name and arguments
    parallel: int = 4  #: an assistant message of several calls, beside its text
    result: int = 5  #: a tool result, beside "functions.NAME" and its content
    results: int = 6  #: the results of several calls, beside "multi_tool_use.parallel" and one list of them
    channel: int = 0  #: each tool call and tool result: its channel
    own_system: int = 4  #: the message made for tools or a schema where no system message is
    tools: int = 0  #: once where tools are offered
    tools_with_system: int = 0  #: the same where there is a system message
    leading_system: bool = False  #: tools join the first message or none, its text without the space at its end
    choice_named: int | None = 7  #: a forced function, beside its name; None: nothing is added
    choice_none: int = 1  #: ``tool_choice: none``
    schema_tag: int = 2  #: a schema's name on each past assistant message, beside the name
    tag_on_reply: bool = True  #: the same on the reply, where no tools are offered
    content_only: bool = False  #: only the contents are billed
    titles: bool = True  #: whether tools show the titles of properties
    title_doubt: int = 0  #: what a title in a tool may add, as few recordings show
    null_doubt: int = 0  #: what a default of null in a tool may add
    tools_border: int | None = None  #: between a system message and tools; None: a blank line joined to its text
    schema_border: int | None = None  #: the same before a schema, and where no system message is
    raw_arguments: bool = False  #: the arguments of a call stay as they are written
    known_call: int = 0  #: a single call that is sent back with the server's id
    choice_required: int = 0  #: ``tool_choice: required``
    source: str = RECORDED


_CHAT: Final = FamilyRules()
FAMILIES: Final[dict[Family, FamilyRules]] = {
    "chat": _CHAT,
    # The cookbook's tokens_per_message for gpt-3.5-turbo-0301 (2023-03).
    "chat-0301": replace(_CHAT, message=4, source=COOKBOOK),
    "o": replace(_CHAT, priming=2, choice_named=None, choice_none=0, tag_on_reply=False),
    "gpt5": FamilyRules(
        priming=2,
        past_assistant=2,
        channel=3,
        tools=82,
        tools_with_system=85,
        leading_system=True,
        choice_named=None,
        choice_none=0,
        tag_on_reply=False,
    ),
    "search": replace(_CHAT, content_only=True),
    "completions": _CHAT,
    "embedding": _CHAT,
}

#: What single models do otherwise than their family, by the name of their row.
_MODELS: Final[dict[str, dict[str, Any]]] = {
    "gpt-4": {"titles": False},
    "gpt-4-0125-preview": {"title_doubt": 2},
    "gpt-3.5-turbo": {"null_doubt": 4},
    "o3-mini": {"tools": 1, "tools_with_system": 1},
    "o4-mini": {"tools": 4, "tools_with_system": 4, "channel": 3},
}
#: What the Responses API does otherwise than Chat, by family; ``channel`` and the titles of a model stay.
_RESPONSES: Final[dict[str, Any]] = {
    "call": 5, "raw_arguments": True, "known_call": 3, "tag_on_reply": False, "tools": 0, "tools_with_system": 0,
}  # fmt: skip
_RESPONSES_BORDERS: Final[dict[str, dict[str, Any]]] = {
    "gpt5": {"tools_border": 4, "schema_border": 0},
    "o": {"tools_border": 1, "schema_border": 0},
}


@lru_cache(maxsize=256)
def rules_of(family: Family | None, base: str, api: str = "chat") -> FamilyRules:
    """Return the rules of a model: those of its family, and what it and its API do otherwise.

    >>> rules_of("gpt5", "gpt-5").tools, rules_of("gpt5", "gpt-5", "responses").tools
    (82, 0)
    """
    rules = replace(FAMILIES[family or "chat"], **_MODELS.get(base, {}))
    if api != "responses":
        return rules
    borders = _RESPONSES_BORDERS.get(family or "chat", {"tools_border": -2, "schema_border": 1, "choice_required": 8})
    return replace(rules, **_RESPONSES, **borders)


#: What the kinds of line in a count stand for, and where the rule comes from.
LINES: Final[dict[str, tuple[str, str]]] = {
    "message": ("3 a message (4 for gpt-3.5-turbo-0301), its role and its text; gpt-5: 2 for a channel", COOKBOOK),
    "name": ("the tokens of ':' and the name", RECORDED),
    "priming": ("tokens that open the reply: 3 (chat models), 2 (o and gpt-5 models)", RECORDED),
    "text": ("the text as the encoding splits it", "tiktoken"),
    "rendered": ("the messages as the chat template renders them", "the model's own tokenizer and template"),
    "given": ("the number that the caller gave", "the caller"),
    "server": ("what the server's own counter states", "the server"),
    "vendor": ("o200k's tokens of the text times a recorded factor: a range", "recordings of November 2026"),
    "suffix": ("the text as the encoding splits it", "one recording of Completions"),
    "ids": ("one each", "the API reference of Completions"),
    "tools": ("the functions as one TypeScript namespace after the system message", RECORDED),
    "tool_choice": ("a forced function: 7 and '.NAME'; none: 1; gpt-5: nothing", RECORDED),
    "tool_call": ("7, the name and the arguments as compact JSON; gpt-5: 3 more", RECORDED),
    "tool_calls": ("several calls: one call of multi_tool_use.parallel", RECORDED),
    "tool_result": ("5, 'functions.NAME' and the content; gpt-5: 3 more", RECORDED),
    "tool_results": ("several results: one list in JSON, its cost beyond the entries on the first", RECORDED),
    "schema": ("a section with the schema as compact JSON after the system message", RECORDED),
    "schema_tag": ("2 and the schema's name on assistant messages", RECORDED),
    "image": ("tiles of 512 pixels or patches of 32; docs/explanation/counting.md lists both by model", RECORDED),
    "reasoning": ("reasoning that is sent back: nothing before an answer, some 36 before a call: a range", RECORDED),
    "modalities": ("a spoken reply: a range", "one recording"),
    "prediction": ("a predicted reply: a range", "one recording"),
    "mode": ("a reasoning mode: a range", RECORDED),
    "hosted_tool": ("a tool that the server runs, and what it finds: a range", RECORDED),
    "audio": ("10 tokens a second", RECORDED),
    "file": ("text and page images of the file: a range", RECORDED),
    "custom_tool": ("a tool that is no function: a range", "no recording"),
    "part": ("a part of a kind that no rule knows: a range", "no recording"),
    "dropped": ("what a request of another API has and Chat has not: a range", "no recording"),
    "model": ("what this model may add or leave out: a range", "no recording of this model"),
    "ignored": ("nothing known is billed for it", RECORDED),
}


def explain(kind: str) -> tuple[str, str]:
    """Return the rule behind a line of this kind, and its source.

    >>> explain("name")[0]
    "the tokens of ':' and the name"
    """
    return LINES[kind]
