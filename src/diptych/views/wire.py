"""Messages and other values as they are sent, for a picture: texts as they are, other parts in a few words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..model import Conversation, Message, Segment, TextPart
from .card import Block, Talk, Text
from .parts import described


def conversation_talk(conversation: Conversation, title: str = "Messages") -> Talk:
    """Return the messages of a conversation for a card.

    >>> conversation_talk(Conversation((Message("user", "Hi"),))).messages
    [('user', [Segment(text='Hi', source='template', input=None)])]
    """
    return Talk(title, [(message.role, [*_pieces(message)]) for message in conversation.messages])


def _pieces(message: Message) -> Iterator[Segment]:
    for part in message.parts:
        yield _author(part.text) if isinstance(part, TextPart) else _author(f"\n[{described(part)}]\n")


def output_block(output: Any, title: str = "Output") -> Block:
    """Return a value for a card: a list of messages as messages, a text as it is, anything else as JSON.

    >>> output_block([{"role": "user", "content": "Hi"}]).messages[0][0]
    'user'
    >>> output_block({"n": 1}).text
    '{\\n  "n": 1\\n}'
    """
    if isinstance(output, str):
        return Text(title, output)
    if isinstance(output, list) and output and all(_is_message(item) for item in output):
        return wire_talk(output, title)
    return Text(title, json.dumps(output, ensure_ascii=False, indent=2, default=_plain))


def wire_talk(messages: Iterable[Mapping[str, Any]], title: str = "Messages") -> Talk:
    """Return messages in the shape of the Chat API for a card.

    >>> wire_talk([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u"}}]}]).messages[0][1]
    [Segment(text='\\n[image_url: {"url": "u"}]\\n', source='template', input=None)]
    """
    return Talk(title, [(str(message.get("role", "")), [*_wire_pieces(message)]) for message in messages])


def _is_message(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("role"), str)


def _wire_pieces(message: Mapping[str, Any]) -> Iterator[Segment]:
    content = message.get("content")
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, str):
            yield _author(part)
        elif isinstance(part, Mapping) and isinstance(part.get("text"), str):
            yield _author(part["text"])
        elif part is not None:
            yield _author(f"\n[{_named(part)}]\n")
    for call in message.get("tool_calls") or ():
        function = call.get("function") or call.get("custom") or {}
        given = function.get("arguments", function.get("input", ""))
        yield _author(f"\n[tool call: {function.get('name')}({given if isinstance(given, str) else _json(given)})]\n")
    for name in ("reasoning_content", "refusal"):
        if isinstance(message.get(name), str):
            yield _author(f"\n[{name.partition('_')[0]}: {message[name]}]\n")


def _named(part: Any) -> str:
    kind = part.get("type") if isinstance(part, Mapping) else None
    return f"{kind}: {_json(part.get(kind, part))}" if kind else _json(part)


def _author(text: str) -> Segment:
    return Segment(text, "template")


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=_plain)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _plain(value: Any) -> str:
    return f"{len(value):,} bytes" if isinstance(value, bytes) else str(value)
