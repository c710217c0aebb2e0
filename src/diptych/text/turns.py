"""The messages of a text by a grammar: what reading and the proof of writing share.

Nothing is detected or doubted here, and nothing is written again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ..loss import Loss
from ..model import Conversation, Cue, Message, ToolSpec
from . import labels
from .calls import Calls, is_json
from .grammar import Grammar
from .names import LABELLED
from .parse import Parse, parse
from .scan import says_nothing, scan, system_apart

#: What a name may be where it stands in a mark: as in the Chat API.
NAME: Final = re.compile(r"[\w-]{1,64}")


def messages_of(text: str, grammar: Grammar) -> list[tuple[str, str]]:
    """Return role and content of every message that a text reads as."""
    if grammar.reader is not None:
        return [(m.role, m.text) for m in grammar.reader(text, text).messages]
    text, _ = tools_apart(text, grammar)
    found = scan(grammar, text)
    if found.state == "plain":
        return list(zip(found.roles, found.texts, strict=True))
    if grammar.calls:
        return [(m.role, m.text) for m in conversation_of(text, turns_of(text, grammar), grammar).messages]
    contents, _ = _contents(text, turns_of(text, grammar), grammar)
    thinking = grammar.thinking
    return [(role, thinking.split(one)[1] if thinking and role == "assistant" else one) for role, one in contents]


def differences_of(conversation: Conversation, text: str, grammar: Grammar) -> list[Loss]:
    """Return how a written text reads back otherwise, for a grammar with its own reader."""
    found: Conversation = grammar.reader(text, text)
    if len(found.messages) != len(conversation.messages):
        kind = "merged" if len(found.messages) < len(conversation.messages) else "split"
        return [Loss("$.messages", kind, f"{len(conversation.messages)} read back as {len(found.messages)}")]
    losses = []
    for index, (wanted, came) in enumerate(zip(conversation.messages, found.messages, strict=True)):
        path = f"$.messages[{index}]"
        if wanted.role != came.role:
            losses.append(Loss(f"{path}.role", "role-changed", f"{wanted.role} reads back as {came.role}"))
        if wanted.text != came.text:
            losses.append(Loss(f"{path}.content", "substituted", "the content reads back differently"))
        if (wanted.reasoning or None) != (came.reasoning or None):
            losses.append(Loss(f"{path}.reasoning", "reasoning-dropped"))
        if [(c.name, c.arguments) for c in wanted.tool_calls] != [(c.name, c.arguments) for c in came.tool_calls]:
            losses.append(Loss(f"{path}.tool_calls", "tool-calls-dropped", "they read back differently"))
        if wanted.tool_call_id != came.tool_call_id:
            losses.append(Loss(f"{path}.tool_call_id", "substituted", "ids of calls are made anew"))
    return losses


def changes_of(expected: list[tuple[str, str]], found: list[tuple[str, str]], places: list[int]) -> list[Loss]:
    """Return how roles and contents came back otherwise than they should have; ``places`` are their indices."""
    if len(expected) != len(found):
        kind = "merged" if len(found) < len(expected) else "split"
        return [Loss("$.messages", kind, f"{len(expected)} messages read back as {len(found)}")]
    losses = []
    for index, wanted, came in zip(places, expected, found, strict=True):
        path = f"$.messages[{index}]"
        if wanted[0] != came[0]:
            losses.append(Loss(f"{path}.role", "role-changed", f"{wanted[0]} reads back as {came[0]}"))
        if wanted[1] != came[1]:
            kind = "trimmed" if wanted[1].strip() == came[1].strip() else "substituted"
            losses.append(Loss(f"{path}.content", kind, "the content reads back differently"))
    return losses


def calls_lost(conversation: Conversation, text: str, grammar: Grammar) -> list[Loss]:
    """Return a loss for every message whose calls or reasoning a written text reads back otherwise."""
    text, _ = tools_apart(text, grammar)
    found = conversation_of(text, turns_of(text, grammar), grammar).messages[-len(conversation.messages) :]
    losses = []
    for index, (wanted, came) in enumerate(zip(conversation.messages, found, strict=False)):
        if _said(wanted) != _said(came):
            losses.append(Loss(f"$.messages[{index}].tool_calls", "tool-calls-dropped", "they read back differently"))
        if wanted.tool_call_id and not came.tool_call_id:
            losses.append(Loss(f"$.messages[{index}].tool_call_id", "tool-calls-dropped", "it reads back as no result"))
    return losses


def _said(message: Message) -> list[tuple[str, Any]]:
    """Return the names of the calls of a message with the values of their arguments."""
    return [(c.name, json.loads(c.arguments) if is_json(c.arguments) else c.arguments) for c in message.tool_calls]


def tools_apart(text: str, grammar: Grammar) -> tuple[str, tuple[ToolSpec, ...]]:
    """Return a text without the tools that are declared between its turns, and the tools."""
    return _cut(text, grammar) if grammar.declares else (text, ())


def _cut(text: str, grammar: Grammar) -> tuple[str, tuple[ToolSpec, ...]]:
    assert grammar.declares is not None
    system = grammar.turns.get("system")
    return grammar.declares.cut(text, grammar.turns["user"].open, system.open if system else "")


def tools_of(text: str, grammar: Grammar) -> tuple[ToolSpec, ...]:
    """Return the tools that a text declares."""
    bare, tools = tools_apart(text, grammar)
    return tools or conversation_of(bare, turns_of(bare, grammar), grammar).tools


def tools_changed(wanted: tuple[ToolSpec, ...], came: tuple[ToolSpec, ...]) -> list[Loss]:
    """Return the loss of tools that read back otherwise: of empty fields alone, which say nothing, an exact one."""
    if wanted == came:
        return []
    if [*map(_without_empty, wanted)] == [*map(_without_empty, came)]:
        return [Loss("$.tools", "defaulted", "fields that are empty are written out, or left out")]
    return [Loss("$.tools", "tools-dropped", "they read back differently")]


def _without_empty(tool: ToolSpec) -> tuple[Any, ...]:
    return tool.name, tool.description, _filled(tool.parameters), tool.strict, tool.native


def _filled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: inner for key, one in value.items() if (inner := _filled(one)) not in ({}, [], ())}
    return [_filled(one) for one in value] if isinstance(value, list | tuple) else value


def turns_of(masked: str, grammar: Grammar) -> Parse:
    """Return the ranges of the turns of a text."""
    if grammar.name in LABELLED:
        return labels.parse_labelled(masked, labels.own_labels(masked, grammar.labels))
    return parse(masked, grammar)


def _contents(prompt: str, found: Parse, grammar: Grammar) -> tuple[list[tuple[str, str]], tuple[ToolSpec, ...]]:
    """Return role and content of the messages that the turns of a text hold, and the tools that it declares."""
    names = _names(prompt, found, grammar)
    contents = [(r.role, prompt[r.start + len(name) : r.end]) for r, name in zip(found.ranges, names, strict=True)]
    tools: tuple[ToolSpec, ...] = ()
    if grammar.declares and contents and contents[0][0] == "system":
        own, tools = grammar.declares.apart(contents[0][1])
        contents = [*([] if own is None else [("system", own)]), *contents[1:]]
    if grammar.sheet or grammar.system_prefix or grammar.is_implied:
        contents = _without_sheet(contents, grammar)
    if grammar.system in ("first-user", "last-user") and grammar.system_turn.open:
        contents = [one for role, text in contents for one in _split_system(text, role, grammar)]
    return contents, tools


def _without_sheet(contents: list[tuple[str, str]], grammar: Grammar) -> list[tuple[str, str]]:
    """Return contents without what the model's own template writes around the system text."""
    if not contents or contents[0][0] != "system":
        return contents
    lines, own = system_apart(grammar, contents[0][1])
    return [*([] if says_nothing(grammar, contents[0][1], lines, own) else [("system", own)]), *contents[1:]]


def conversation_of(prompt: str, found: Parse, grammar: Grammar) -> Conversation:
    """Return the conversation of the turns that were found in a prompt."""
    contents, tools = _contents(prompt, found, grammar)
    before = grammar.named.partition("{}")[0]
    names = [name.removeprefix(before).rstrip() or None for name in _names(prompt, found, grammar)]
    named = names if grammar.named else [None] * len(contents)
    messages = tuple(_message(*content, name, grammar) for content, name in zip(contents, named, strict=True))
    messages = _with_calls(messages, grammar.calls, tools) if grammar.calls else messages
    cue: Cue = "reply" if found.cue or (not grammar.cue and _awaits_reply(found, grammar)) else "none"
    if found.ranges and found.ranges[-1].role == "assistant" and not found.ranges[-1].is_closed:
        cue = "continue"
    return Conversation(messages, tools, cue=cue)


def _message(role: str, text: str, name: str | None, grammar: Grammar) -> Message:
    if grammar.thinking is None or role != "assistant":
        return Message(role, text, name)
    reasoning, rest = grammar.thinking.split(text)
    return Message(role, rest, name, reasoning=reasoning)


def _with_calls(messages: Iterable[Message], calls: Calls, tools: Sequence[ToolSpec]) -> tuple[Message, ...]:
    """Return messages with the tool calls and the results that their contents hold."""
    schemas = {tool.name: tool.parameters.get("properties") or {} for tool in tools if tool.parameters}
    found: list[Message] = []
    ids: list[str] = []
    answered = 0
    for message in messages:
        if message.role == "assistant":
            content, made = calls.split(message.text, len(ids), schemas)
            ids += [call.id for call in made]
            reasoning, content = _thought(calls, content) if calls.thought else (message.reasoning, content)
            found.append(Message("assistant", content or None, None, made, None, reasoning) if made else message)
        elif message.role == calls.turn and (results := calls.results(message.text)) and answered < len(ids):
            for content, named in results:
                id_ = named if named in ids else ids[answered] if answered < len(ids) else None
                found.append(Message("tool", content, tool_call_id=id_))
                answered += 1
        else:
            found.append(message)
    return tuple(found)


def _thought(calls: Calls, content: str) -> tuple[str | None, str]:
    """Return the reasoning in a turn of calls, and what stands there beside it."""
    before, after = calls.thought or ("", "")
    inner, closes, rest = content.removeprefix(before).partition(after)
    return (inner or None, rest) if content.startswith(before) and closes else (None, content)


def opening(grammar: Grammar, mark: str, name: str | None) -> str:
    """Return the mark of a turn, the name of who speaks in it where the format has a place for that."""
    if not name or not grammar.named or not NAME.fullmatch(name):
        return mark
    head = mark.rstrip("\n")
    return head + grammar.named.replace("{}", name) + mark[len(head) :]


def _names(prompt: str, found: Parse, grammar: Grammar) -> list[str]:
    """Return what stands between the role of each turn and its content to name the speaker, line break included."""
    if not grammar.named:
        return [""] * len(found.ranges)
    pattern = re.compile(re.escape(grammar.named).replace(r"\{\}", NAME.pattern) + "\n")
    held = (
        pattern.match(prompt, r.start, r.end) if prompt[r.start - 1 : r.start] != "\n" else None for r in found.ranges
    )
    return [one.group() if one else "" for one in held]


def _awaits_reply(found: Parse, grammar: Grammar) -> bool:
    return not grammar.plain and bool(found.ranges) and found.ranges[-1].role == "user"


def _split_system(text: str, role: str, grammar: Grammar) -> list[tuple[str, str]]:
    """Return the messages of one turn: a user turn may carry the system text."""
    wrap = grammar.system_turn
    if role == "user" and text.startswith(wrap.open):
        inner, close, rest = text[len(wrap.open) :].partition(wrap.close)
        if close:
            return [("system", inner), ("user", rest)]
    if role == "user" and text.lstrip().startswith(wrap.open.strip()):  # with other white space
        inner, close, rest = text.strip().removeprefix(wrap.open.strip()).partition(wrap.close.strip())
        if close:
            return [("system", inner.strip()), ("user", rest.strip())]
    return [(role, text)]
