"""What a conversation holds that a text has no place for, each as a loss at its path."""

from __future__ import annotations

from ..loss import Loss
from ..model import ContentPart, Conversation, Message, OtherPart, RefusalPart, TextPart


def side_losses(conversation: Conversation) -> list[Loss]:
    """Return what stands beside the messages, which a text has no place for."""
    losses = []
    if conversation.tools:
        losses.append(Loss("$.tools", "tools-dropped", f"{len(conversation.tools)} tools have no place in a text"))
    if conversation.response_format and conversation.response_format.type != "text":
        losses.append(Loss("$.response_format", "schema-dropped", "a text cannot ask for a response format"))
    return losses


def part_losses(message: Message, path: str, format: str) -> list[Loss]:
    """Return what a message holds beside texts, and what only one API says of it."""
    if message.plain_text is not None:
        return []
    losses = []
    if message.name is not None:
        losses.append(Loss(f"{path}.name", "name-dropped", f"{message.name!r} has no place in {format}"))
    for index, part in enumerate(message.content_parts):
        if not isinstance(part, TextPart):
            losses.append(Loss(f"{path}.content[{index}]", "media-dropped", f"{type(part).__name__} is not text"))
        losses += [Loss(f"{path}.content[{index}].{key}", "field-dropped") for key in _native_of(part)]
    if isinstance(message.content, tuple) and message.text:
        losses.append(Loss(f"{path}.content", "flattened", "a list of parts became one text"))
    names = [name for fields in message.native.values() for name in fields if name not in ("content", "role")]
    return losses + [Loss(f"{path}.{name}", "field-dropped") for name in names]


def _native_of(part: ContentPart) -> list[str]:
    """Return the names of what only one API says of a part."""
    return [] if isinstance(part, OtherPart) else [name for fields in part.native.values() for name in fields]


def message_losses(message: Message, path: str, format: str) -> list[Loss]:
    """Return what a message has beside its text, which ``format`` has no place for."""
    if message.plain_text is not None:
        return []
    losses = part_losses(message, path, format)
    if message.tool_calls:
        losses.append(Loss(f"{path}.tool_calls", "tool-calls-dropped", f"{len(message.tool_calls)} tool calls"))
    if message.tool_call_id:
        losses.append(Loss(f"{path}.tool_call_id", "tool-calls-dropped", "the link to the call is lost"))
    if message.reasoning:
        losses.append(Loss(f"{path}.reasoning", "reasoning-dropped"))
    if any(isinstance(part, RefusalPart) for part in message.parts):
        losses.append(Loss(f"{path}.refusal", "text-dropped", "the words of a refusal"))
    return losses
