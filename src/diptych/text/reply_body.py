"""A reply taken apart by the marks of its chat template: reasoning, content, calls, and what is left.

Rule: the reasoning stands first, then the content and the calls, in the order that the template has; the
mark of the end ends all. What stands after it, or after the calls, is left over and is never dropped.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import NamedTuple

from ..model import Message, Part, ReasoningPart, TextPart, ToolCall
from .reply_calls import Call, Schemas, calls_at, first_call
from .reply_marks import TOKEN, ReplyMarks


class Body(NamedTuple):
    """A reply taken apart. ``rest`` is what stands after the calls or the end and belongs to nothing."""

    reasoning: str | None
    content: str
    calls: tuple[Call, ...]
    rest: str
    is_whole: bool = True


def take_apart(text: str, marks: ReplyMarks, tools: Schemas) -> Body:
    """Take a reply apart, from after the header of its turn."""
    reasoning, position, is_whole = _reasoning(text, marks)
    lead = pattern_of(marks.lead).match(text, position) if marks.lead else None
    start = lead.end() if lead else position
    stop, after = _end(text, start, marks)
    left = text[after:] if text[after:].strip() not in ("", marks.trailing) else ""
    for at, calls, end in first_call(text, start, stop, marks.calls, tools):
        content, rest = _without_close(text[start:at], marks).strip(), text[end:stop]
        if marks.calls is not None:
            content = content.removeprefix(marks.calls.lead).strip()
            if marks.calls.is_first and not content:
                content, rest = rest.strip().removesuffix(marks.calls.section_close).strip(), ""
        rest = rest if rest.strip() else ""
        return Body(reasoning, content, tuple(calls), rest + left, is_whole)
    before, behind = marks.blanks
    content = _without_close(text[start:stop], marks).removesuffix(behind)
    content = content.lstrip() if position or lead else content.removeprefix(before)
    return Body(reasoning, content, (), left, is_whole)


def _reasoning(text: str, marks: ReplyMarks) -> tuple[str | None, int, bool]:
    """Return the reasoning, where it ends, and whether its end is marked."""
    if not marks.reasoning_close:
        return None, 0, True
    opened = pattern_of(marks.reasoning_open).match(text) if marks.reasoning_open else None
    if marks.reasoning_open and opened is None:
        return None, 0, True
    start = opened.end() if opened else 0
    closed = core_of(marks.reasoning_close).search(text, start)
    if closed is None:
        return (text[start:].strip(), len(text), False) if opened else (None, 0, True)
    return text[start : closed.start()].strip() or None, closed.end(), True


def _end(text: str, start: int, marks: ReplyMarks) -> tuple[int, int]:
    """Return where the reply ends, and where what follows its mark begins."""
    found = [(at, at + len(end)) for end in marks.ends if end and (at := text.find(end, start)) >= 0]
    return min(found, default=(len(text), len(text)))


def _without_close(content: str, marks: ReplyMarks) -> str:
    closed = marks.content_close
    at = content.rfind(closed) if closed else -1
    return content[:at] if at >= 0 and not content[at + len(closed) :].strip() else content


@lru_cache(maxsize=512)
def pattern_of(mark: str) -> re.Pattern[str]:
    """Return the pattern of a mark, white space before and in it being free.

    >>> bool(pattern_of("<a> <b>").match("\\n<a><b>"))
    True
    """
    return re.compile(r"\s*" + core_of(mark).pattern)


@lru_cache(maxsize=512)
def core_of(mark: str) -> re.Pattern[str]:
    """Return the pattern of a mark to search for: to skip white space at every place would take its square."""
    return re.compile(r"\s*".join(map(re.escape, mark.split())))


def message_of(body: Body, first: int = 0) -> Message:
    """Return the message of a reply; calls without an id get one by their number, from ``first``."""
    parts: list[Part] = [] if body.reasoning is None else [ReasoningPart(body.reasoning)]
    parts += [TextPart(body.content)] if body.content or not (body.calls or body.reasoning) else []
    parts += [
        ToolCall(call.id or f"call_{first + index}", call.name, json.dumps(call.arguments, ensure_ascii=False))
        for index, call in enumerate(body.calls)
    ]
    parts += [TextPart(body.rest)] if body.rest else []
    return Message.of("assistant", parts)


@lru_cache(maxsize=64)
def own_tokens(marks: ReplyMarks) -> tuple[str, ...]:
    """Return the tags and control tokens that a template writes in a reply, which no content should hold."""
    calls, keys = marks.calls, marks.calls.keys if marks.calls else None
    written = [marks.reasoning_open, marks.reasoning_close, marks.lead, marks.content_close, *marks.ends]
    written += [calls.section_open, calls.open, calls.close, calls.sep, calls.section_close] if calls else []
    written += [keys.open, keys.close] if keys else []
    tokens = [token for text in written for token in TOKEN.findall(text) if len(token) > 2]
    return tuple(dict.fromkeys([*tokens, *([first] if len(first := calls_at(calls)) > 2 else [])]))
