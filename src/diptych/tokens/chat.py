"""What a Chat body costs: its messages, and the tools and the schema that join the system message.

Rule: everything stands in the body; the constants are rows of :mod:`.rules`. A Responses body
comes here in the shape of Chat, with the rules of its own API.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..catalogue.models import ModelInfo
from ..errors import TokenError
from .imagesize import Size
from .memo import LONGEST, message_memo
from .messages import Count, MessageCounter, text_of
from .plain import PlainLines, plain_lines
from .rules import FAMILIES, FamilyRules
from .schemas import render_schema
from .shapes import check_extras
from .tally import Item
from .tools import doubt, render_tools

#: What a body may hold beside its messages that is billed.
NEEDS_MORE: Final = frozenset({
    "tools", "functions", "response_format", "tool_choice", "function_call", "modalities", "prediction",
})  # fmt: skip


def chat_items(
    body: Mapping[str, Any], info: ModelInfo, rules: FamilyRules, sizes: Mapping[str, Size] | None = None
) -> list[Item]:
    """Return the lines of a Chat body. Raises TokenError on what is malformed."""
    counted = message_memo(info.encoding or "")
    messages = body["messages"]
    if not isinstance(messages, list | tuple):
        raise TokenError("messages are a list", path="$.messages")
    plain = plain_lines(info.encoding or "", info.family or "chat")
    if NEEDS_MORE.isdisjoint(body):
        lines = _plain_items(messages, plain)
        items = (
            lines
            if lines is not None
            else MessageCounter(counted, rules, info.base, sizes=sizes).items(messages, plain.remembered)
        )
        if not rules.content_only:
            items.append(PRIMING[rules.priming])
        return items
    check_extras(body)
    functions, customs = _tools_of(body)
    schema = _schema_of(body)
    tag = rules.schema_tag + counted(str(schema.get("name", ""))) if schema else 0
    items = MessageCounter(counted, rules, info.base, tag=tag, sizes=sizes).items(messages, plain.remembered)
    if functions or schema:
        items += _section_items(messages, functions, schema, rules, counted)
    items += _custom_items(customs, counted)
    items += _choice_items(body, bool(functions), rules, counted)
    items += _further_items(body, counted)
    if tag and rules.tag_on_reply and not functions:
        items.append(Item("$.response_format", "schema_tag", tag, "fitted"))
    if not rules.content_only:
        items.append(PRIMING[rules.priming])
    return items


#: The line of the priming, by its tokens.
PRIMING: Final = {rules.priming: Item("$", "priming", rules.priming) for rules in FAMILIES.values()}


def _plain_items(messages: Sequence[Any], plain: PlainLines) -> list[Item] | None:
    """Return the lines of messages that are nothing but short texts, None where one is more."""
    items: list[Item] = []
    add, line, last, longest = items.append, plain.remembered, len(messages) - 1, LONGEST
    try:
        for index, message in enumerate(messages):
            if type(message) is not dict or len(message) != 2:
                return None
            role, content = message["role"], message["content"]
            if type(content) is not str or type(role) is not str or role == "tool" or len(content) > longest:
                return None
            if index == last:
                line = plain.fresh
            add(line(index, role, content))
    except KeyError:
        return None
    return items


def _section_items(
    messages: Sequence[Any],
    functions: list[Mapping[str, Any]],
    schema: Mapping[str, Any] | None,
    rules: FamilyRules,
    counted: Count,
) -> list[Item]:
    """Return the lines of the sections that join the system message: tools, then the schema."""
    system = _system_of(messages, rules)
    border = rules.own_system
    if system is not None:
        # The section follows a blank line: what the border costs depends on the text before it.
        text = text_of(system)[-64:]
        joined = text.rstrip() if rules.leading_system else text
        border = counted(f"{joined}\n\n#") - counted(text) - 1 if rules.tools_border is None else rules.tools_border
    items: list[Item] = []
    if functions:
        text = f"# Tools\n\n## functions\n\n{render_tools(functions, titles=rules.titles)}"
        tokens = counted(text) - 1 + (rules.tools if system is None else rules.tools_with_system)
        items.append(_tools_item(tokens + border, functions, text, rules))
        border = counted("functions\n\n#") - counted("functions") - 1
    if schema:
        border = border if rules.schema_border is None else rules.schema_border
        items.append(Item("$.response_format", "schema", counted(render_schema(schema)) + border, "fitted"))
    return items


def _tools_item(tokens: int, functions: list[Mapping[str, Any]], text: str, rules: FamilyRules) -> Item:
    more = doubt(functions, text, title=rules.title_doubt, null=rules.null_doubt)
    return Item("$.tools", "tools", tokens, *(("approximate", tokens, tokens + more) if more else ("fitted",)))


def _system_of(messages: Sequence[Any], rules: FamilyRules) -> Mapping[str, Any] | None:
    """Return the system or developer message that the sections join, if there is one."""
    if rules.leading_system:
        messages = messages[:1]
    return next((m for m in messages if isinstance(m, Mapping) and m.get("role") in ("system", "developer")), None)


#: A web search is billed with 294 tokens of its own, or with what it found (recorded: up to 17,388).
HOSTED: Final = (294, "approximate", 0, 20_000)


def _custom_items(customs: list[Mapping[str, Any]], counted: Count) -> list[Item]:
    items = []
    for index, tool in enumerate(customs):
        if tool.get("name") is None:
            items.append(Item(f"$.tools[{index}]", "hosted_tool", *HOSTED))
            continue
        texts = (tool.get("name"), tool.get("description"), json.dumps(tool.get("format") or "", default=str))
        tokens = sum(counted(str(text or "")) for text in texts) + 16
        items.append(Item(f"$.tools[{index}]", "custom_tool", tokens, "approximate", tokens // 2, tokens * 2 + 100))
    return items


def _choice_items(body: Mapping[str, Any], has_tools: bool, rules: FamilyRules, counted: Count) -> list[Item]:
    choice = body.get("tool_choice") or body.get("function_call")
    if choice == "none" and has_tools and rules.choice_none:
        return [Item("$.tool_choice", "tool_choice", rules.choice_none, "fitted")]
    if choice == "required" and has_tools and rules.choice_required:
        # Recorded with a system message; without one, 3.
        return [Item("$.tool_choice", "tool_choice", rules.choice_required, "approximate", 3, rules.choice_required)]
    if isinstance(choice, Mapping) and rules.choice_named is not None:
        function = choice.get("function")
        name = (function if isinstance(function, Mapping) else choice).get("name")
        if isinstance(name, str):
            return [Item("$.tool_choice", "tool_choice", rules.choice_named + counted(f".{name}"), "fitted")]
    return []


def _further_items(body: Mapping[str, Any], counted: Count) -> list[Item]:
    """Return ranges for what few recordings show: a spoken reply, a predicted one."""
    items = []
    if isinstance(modalities := body.get("modalities"), list | tuple) and "audio" in modalities:
        items.append(Item("$.modalities", "modalities", 0, "approximate", -1, 0))
    prediction = body.get("prediction")
    content = prediction.get("content") if isinstance(prediction, Mapping) else None
    if isinstance(content, str):
        items.append(Item("$.prediction", "prediction", 0, "approximate", 0, counted(content) + 8))
    return items


def _tools_of(body: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Return the functions offered, and the tools that are no functions."""
    functions: list[Mapping[str, Any]] = []
    customs: list[Mapping[str, Any]] = []
    tools = body.get("tools") or body.get("functions") or ()
    for tool in tools if isinstance(tools, list | tuple) else ():
        if not isinstance(tool, Mapping):
            continue
        inner = tool.get("function")
        if isinstance(inner, Mapping):
            functions.append(inner)
        elif tool.get("type") in (None, "function") and tool.get("name"):
            functions.append(tool)
        else:
            custom = tool.get("custom")
            customs.append(custom if isinstance(custom, Mapping) else tool)
    return functions, customs


def _schema_of(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    wanted = body.get("response_format")
    if not isinstance(wanted, Mapping) or wanted.get("type") != "json_schema":
        return None
    schema = wanted.get("json_schema")
    return schema if isinstance(schema, Mapping) else None
