"""What a conversation lost on its way through a format: a comparison, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from ..loss import Loss
from ..model import (
    AudioPart,
    Conversation,
    FilePart,
    ImagePart,
    Message,
    OtherPart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
)

_CONTENT: Final = (TextPart, ImagePart, AudioPart, FilePart, OtherPart)


def differences(conversation: Conversation, again: Conversation) -> list[Loss]:
    """Return a loss for every field in which the second conversation differs from the first."""
    before, after = conversation.messages, again.messages
    losses: list[Loss] = []
    if len(before) != len(after):
        kind = "merged" if len(after) < len(before) else "split"
        losses.append(Loss("$.messages", kind, f"{len(before)} messages became {len(after)}"))
    else:
        for index, (wanted, came) in enumerate(zip(before, after, strict=True)):
            if wanted != came:
                losses += _message(wanted, came, f"$.messages[{index}]")
    if conversation.tools != again.tools:
        losses.append(Loss("$.tools", "tools-dropped", "tools differ"))
    if (conversation.response_format or None) != (again.response_format or None):
        losses.append(Loss("$.response_format", "schema-dropped", "the response format differs"))
    return losses


def _message(wanted: Message, came: Message, path: str) -> Iterator[Loss]:
    if wanted.role != came.role:
        yield Loss(f"{path}.role", "role-changed", f"{wanted.role} became {came.role}")
    if _shown(wanted) != _shown(came):
        same_text = wanted.text == came.text
        yield Loss(f"{path}.content", "media-dropped" if same_text else "substituted", "the content differs")
    if wanted.name != came.name:
        yield Loss(f"{path}.name", "name-dropped", f"{wanted.name!r} has no place")
    yield from _calls(wanted.tool_calls, came.tool_calls, path)
    if wanted.tool_call_id != came.tool_call_id:
        yield Loss(f"{path}.tool_call_id", "tool-calls-dropped", "the link to the call differs")
    if (wanted.reasoning or None) != (came.reasoning or None):
        yield Loss(f"{path}.reasoning", "reasoning-dropped")
    if _refusals(wanted) != _refusals(came):
        yield Loss(f"{path}.refusal", "text-dropped", "the refusal differs")
    common = {*_kinds(wanted)} & {*_kinds(came)}
    if _order(wanted, common) != _order(came, common):
        yield Loss(path, "reordered", "the parts of the message have another order")
    for key in wanted.extra:
        if key != "content" and (key not in came.extra or wanted.extra[key] != came.extra[key]):
            yield Loss(f"{path}.{key}", "field-dropped")


def _refusals(message: Message) -> str:
    return "".join(part.text for part in message.parts if isinstance(part, RefusalPart))


def _kinds(message: Message) -> list[str]:
    """Return the kinds of the parts that say something, in their order."""
    parts = message.parts
    return ["content" if isinstance(part, _CONTENT) else type(part).__name__ for part in parts if _says(part)]


def _order(message: Message, kinds: set[str]) -> list[str]:
    """Return these kinds of parts in their order; neighbours of one kind are one."""
    found = [kind for kind in _kinds(message) if kind in kinds]
    return [kind for index, kind in enumerate(found) if not index or found[index - 1] != kind]


def _says(part: Part) -> bool:
    return not isinstance(part, TextPart | ReasoningPart | RefusalPart) or bool(part.text)


def _shown(message: Message) -> Any:
    """Return a content as it is compared: texts side by side are one, empty ones nothing."""
    parts: list[Any] = []
    for part in message.content_parts:
        if isinstance(part, TextPart) and parts and isinstance(parts[-1], str):
            parts[-1] += part.text
        elif isinstance(part, TextPart):
            parts += [part.text] if part.text else []
        else:
            parts.append(part)
    return parts


def _calls(wanted: tuple[ToolCall, ...], came: tuple[ToolCall, ...], path: str) -> Iterator[Loss]:
    if len(wanted) != len(came):
        yield Loss(f"{path}.tool_calls", "tool-calls-dropped", f"{len(wanted)} calls became {len(came)}")
        return
    for index, (a, b) in enumerate(zip(wanted, came, strict=True)):
        place = f"{path}.tool_calls[{index}]"
        if a.name != b.name:
            yield Loss(f"{place}.name", "tool-calls-dropped", f"{a.name!r} became {b.name!r}")
        if a.type != b.type:
            yield Loss(f"{place}.type", "substituted", f"{a.type} became {b.type}")
        if a.id != b.id:
            yield Loss(f"{place}.id", "substituted", f"{a.id!r} became {b.id!r}")
        if a.arguments != b.arguments:
            same = arguments_of(a) == arguments_of(b) and arguments_of(a) is not None
            kind, detail = ("renamed", "the same JSON, spelt anew") if same else ("substituted", "arguments differ")
            yield Loss(f"{place}.arguments", kind, detail)


def arguments_of(call: ToolCall) -> dict[str, Any] | None:
    """Return the arguments of a call as an object, None where they are none."""
    try:
        value = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
