"""Write a conversation as text, by a grammar, with the author of every character.

Rule: markers are the format's (``template``), contents belong to whoever wrote
them. What the text cannot carry is a loss; a content that would read as structure
is broken up, refused, or reported, as the guard says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ..errors import FormatError
from ..loss import Loss
from ..model import Conversation, Message, Segment, Source, Span, TextPart
from . import guard as guards
from .base import Writing
from .grammar import Grammar
from .registry import grammar_of

Guard = Literal["escape", "refuse", "off"]


class _Paper:
    """The text while it is written, with its spans."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.spans: list[Span] = []
        self.length = 0

    def put(self, text: str, source: Source, name: str | None, message: int | None) -> None:
        if not text:
            return
        start, self.length = self.length, self.length + len(text)
        self.pieces.append(text)
        last = self.spans[-1] if self.spans else None
        if last and last[2:] == (source, name, message):
            self.spans[-1] = Span(last.start, self.length, source, name, message)
        else:
            self.spans.append(Span(start, self.length, source, name, message))


def write_text(
    conversation: Conversation,
    format: str = "transcript",
    *,
    add_generation_prompt: bool = True,
    provenance: Sequence[Sequence[Segment]] | None = None,
    guard: Guard = "off",
) -> Writing:
    """Write a conversation in a text format.

    ``provenance`` gives each message's text as segments; without it contents count
    as data. ``guard`` says what happens to data that holds a marker of the format:
    ``escape`` breaks it up (loss ``escaped``), ``refuse`` raises, ``off`` writes it as
    it is (loss ``marker-in-content``). Raises FormatError.
    """
    grammar = grammar_of(format)
    paper, losses = _Paper(), _side_losses(conversation)
    paper.put(grammar.bos, "template", None, None)
    if grammar.plain and len(conversation.messages) > 1:
        losses.append(Loss("$.messages", "role-dropped", f"{len(conversation.messages)} messages became one text"))
    for index, message in enumerate(conversation.messages):
        if index:
            paper.put(grammar.separator, "template", None, None)
        segments = _segments(message, provenance[index] if provenance is not None else None)
        _write_message(paper, grammar, index, message, segments, guard, losses)
    if add_generation_prompt and grammar.cue:
        if conversation.messages:
            paper.put(grammar.separator, "template", None, None)
        paper.put(grammar.cue, "template", None, None)
    return Writing("".join(paper.pieces), grammar.stop, tuple(losses), tuple(paper.spans))


def _write_message(
    paper: _Paper,
    grammar: Grammar,
    index: int,
    message: Message,
    segments: list[Segment],
    guard: Guard,
    losses: list[Loss],
) -> None:
    path = f"$.messages[{index}]"
    role = message.role
    if role not in grammar.turns:
        mapped = grammar.role_map.get(role, "user")
        losses.append(Loss(f"{path}.role", "role-changed", f"{role} is written as {mapped}"))
        role = mapped
    turn = grammar.turns[role]
    losses += _message_losses(message, path, grammar)
    if grammar.trim:
        segments = _trim(segments, path, losses)
    segments = _guarded(grammar, segments, path, guard, losses, at_line_start=not turn.open)
    paper.put(turn.open, "template", None, index)
    for text, source, name in segments:
        paper.put(text, source, name, index)
    paper.put(turn.close, "template", None, index)


def _segments(message: Message, provenance: Sequence[Segment] | None) -> list[Segment]:
    if provenance is not None:
        return list(provenance)
    return [Segment(message.text, "data")] if message.text else []


def _trim(segments: list[Segment], path: str, losses: list[Loss]) -> list[Segment]:
    """Take the outer white space off a content."""
    text = "".join(segment.text for segment in segments)
    if text == text.strip():
        return segments
    losses.append(Loss(f"{path}.content", "trimmed", "outer white space is not kept"))
    return cut(segments, len(text) - len(text.lstrip()), len(text.rstrip()))


def cut(segments: Sequence[Segment], start: int, end: int) -> list[Segment]:
    """Return the segments of the characters ``start:end``."""
    kept, position = [], 0
    for text, source, name in segments:
        piece = text[max(0, start - position) : max(0, end - position)]
        if piece:
            kept.append(Segment(piece, source, name))
        position += len(text)
    return kept


def _guarded(
    grammar: Grammar, segments: list[Segment], path: str, guard: Guard, losses: list[Loss], *, at_line_start: bool
) -> list[Segment]:
    """Deal with the markers that data would bring into this content.

    A marker counts as the author's only where the author wrote all of it.
    """
    text = "".join(segment.text for segment in segments)
    breaks = guards.find(grammar, text, at_line_start=at_line_start)
    foreign = [b for b in breaks if not _is_authors(grammar, segments, text, b[0])]
    if not foreign:
        return segments
    if guard == "refuse":
        raise FormatError(f"a content holds a marker of {grammar.name}", path=f"{path}.content")
    if guard == "off":
        losses.append(Loss(f"{path}.content", "marker-in-content", f"it would read as {grammar.name} structure"))
        return segments
    losses.append(Loss(f"{path}.content", "escaped", f"{len(foreign)} markers of {grammar.name} were broken up"))
    return _insert(segments, foreign)


def _is_authors(grammar: Grammar, segments: Sequence[Segment], text: str, position: int) -> bool:
    """True where the marker around ``position`` stands wholly in author text."""
    if grammar.markers:
        start = position - 1
        end = start + max(len(m) for m in grammar.markers if text.startswith(m, start))
    else:
        start = max(0, position - 1)
        end = text.index(":", position) + 1
    covered = 0
    for piece, source, _ in segments:
        if source == "data" and covered < end and covered + len(piece) > start:
            return False
        covered += len(piece)
    return True


def _insert(segments: Sequence[Segment], breaks: list[tuple[int, str]]) -> list[Segment]:
    """Put the fillers into the segments that hold their positions."""
    result, position, todo = [], 0, list(breaks)
    for text, source, name in segments:
        mine = [(p - position, filler) for p, filler in todo if p < position + len(text)]
        todo = todo[len(mine) :]
        result.append(Segment(guards.insert(text, mine), source, name))
        position += len(text)
    return result


def _side_losses(conversation: Conversation) -> list[Loss]:
    losses = []
    if conversation.tools:
        losses.append(Loss("$.tools", "tools-dropped", f"{len(conversation.tools)} tools have no place in a text"))
    if conversation.response_format and conversation.response_format.type != "text":
        losses.append(Loss("$.response_format", "schema-dropped", "a text cannot ask for a response format"))
    return losses


def _message_losses(message: Message, path: str, grammar: Grammar) -> list[Loss]:
    losses = []
    if message.name is not None:
        losses.append(Loss(f"{path}.name", "name-dropped", f"{message.name!r} has no place in {grammar.name}"))
    for index, part in enumerate(message.parts):
        if not isinstance(part, TextPart):
            losses.append(Loss(f"{path}.content[{index}]", "media-dropped", f"{type(part).__name__} is no text"))
    if message.tool_calls:
        losses.append(Loss(f"{path}.tool_calls", "tool-calls-dropped", f"{len(message.tool_calls)} tool calls"))
    if message.tool_call_id is not None:
        losses.append(Loss(f"{path}.tool_call_id", "tool-calls-dropped", "the link to the call is lost"))
    if message.reasoning is not None:
        losses.append(Loss(f"{path}.reasoning", "reasoning-dropped"))
    return losses + [Loss(f"{path}.{key}", "field-dropped") for key in message.extra if key != "content"]
