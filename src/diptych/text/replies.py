"""One raw reply becomes a message: reasoning, content and tool calls with typed arguments.

Rule: what precedes the reply (the prompt) says where it begins, since a prompt may have opened the
reasoning already. For a chat template the marks come from ``reply_marks``, and the reading is proved by
rendering the message; for a named format the prompt and the reply are read together. Text that is no
well-formed call stays text. A streamed reply is read by :class:`ReplyReader`, which hands text over as
soon as nothing that follows can make it a mark, and reads the whole at its end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, NamedTuple

from ..errors import DiptychError, FormatError
from ..format import Reading
from ..loss import Loss, Verdict, verdict_of
from ..model import Conversation, Message, Part, ReasoningPart, TextPart, ToolCall, ToolSpec
from ..projection import write
from ..response import Event
from ..sandbox.chat_template import ChatTemplate
from .derived import marks_of as prompt_marks
from .derived import reasoning_field, sentinel
from .derived_reading import NAME, wire
from .derived_writing import tool_body
from .grammar import Grammar
from .reading import read_text
from .registry import grammar_of
from .reply_calls import Call, Schemas, calls_at, first_call, is_marked
from .reply_marks import TOKEN, ReplyMarks, reply_marks

Decode = Callable[[Sequence[int]], str]
_MISSING: Final = "a reply is read after its prefix: the prompt that the model was given, or its end"


def read_reply(
    reply: str | Sequence[int],
    *,
    format: str | Grammar | ChatTemplate,
    prefix: str,
    tools: Sequence[Any] | None = None,
    decode: Decode | None = None,
) -> Reading:
    """Read what a model generated as one assistant message.

    ``reply`` is the text, or token ids with ``decode``, the tokenizer's function that turns them into
    text, control tokens included. ``format`` is the model's chat template, or the name of a text format;
    ``prefix`` the prompt that the reply continues, or its end. ``tools`` (as in a request) gives
    arguments their types, and says which names are calls where no control token does. Raises
    FormatError for a prefix that does not end as the format asks for a reply.

    >>> turns = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    >>> template = ChatTemplate(turns + "{% if add_generation_prompt %}<|assistant|>{% endif %}")
    >>> read_reply("Hello<|end|>", format=template, prefix="<|user|>Hi<|end|><|assistant|>").messages
    [{'role': 'assistant', 'content': 'Hello'}]
    """
    reader = ReplyReader(format=format, prefix=prefix, tools=tools)
    reader.feed(reply if isinstance(reply, str) else _decoded(reply, decode))
    return reader.finish()


def _decoded(ids: Sequence[int], decode: Decode | None) -> str:
    if decode is None:
        raise FormatError("token ids need a tokenizer", path="$", hint="pass decode=tokenizer.decode, or the text")
    return decode(list(ids))


class ReplyReader:
    """Reads a reply while it comes: ``feed`` takes its pieces, ``finish`` returns the :class:`Reading`.

    What ``feed`` hands over (events of kind ``text`` and ``reasoning``) is the beginning of what the
    message will hold, wherever the reply is cut. Arguments as of :func:`read_reply`.

    >>> turns = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    >>> template = ChatTemplate(turns + "{% if add_generation_prompt %}<|assistant|>{% endif %}")
    >>> reader = ReplyReader(format=template, prefix="<|user|>Hi<|end|><|assistant|>")
    >>> [event.text for event in reader.feed("Hello <|e")]
    ['Hello']
    >>> reader.feed("nd|>"), reader.finish().messages
    ([], [{'role': 'assistant', 'content': 'Hello '}])
    """

    def __init__(
        self, *, format: str | Grammar | ChatTemplate, prefix: str, tools: Sequence[Any] | None = None
    ) -> None:
        if not isinstance(prefix, str) or not prefix:
            raise FormatError(_MISSING, path="$.prefix", hint="pass prefix=prompt")
        self._format, self._prefix = format, prefix
        self._tools = [tool_body(tool) if isinstance(tool, ToolSpec) else tool for tool in tools or ()]
        self._pieces: list[str] = []
        self._scan: _Scan | None = None
        self._before = ""
        if isinstance(format, ChatTemplate):
            marks = _marks(format)
            self._before = tail_of(prefix, marks, format)
            self._scan = _Scan(marks, self._before)

    def feed(self, text: str) -> list[Event]:
        """Take a piece of the reply; return what is certain of it."""
        self._pieces.append(text)
        return self._scan.feed(text) if self._scan is not None else []

    def finish(self) -> Reading:
        """Return the reading of the whole reply."""
        reply = "".join(self._pieces)
        if isinstance(self._format, ChatTemplate):
            return _read_by_template(self._before + reply, self._format, self._tools)
        return _read_by_grammar(self._prefix, reply, grammar_of(self._format))


def schemas_of(tools: Sequence[Any] | None) -> dict[str, Mapping[str, Any]]:
    """Return the schemas of the properties of each tool, by its name.

    >>> schemas_of([{"type": "function", "function": {"name": "f", "parameters": {"properties": {"a": {}}}}}])
    {'f': {'a': {}}}
    """
    functions = [tool.get("function", tool) for tool in tools or ()]
    return {str(one.get("name")): (one.get("parameters") or {}).get("properties") or {} for one in functions}


# by a named format ----------------------------------------------------------------------------


def _read_by_grammar(prefix: str, reply: str, grammar: Grammar) -> Reading:
    """Read prompt and reply together; the reply is what the prompt alone does not hold."""
    before = read_text(prefix, grammar)
    whole = read_text(prefix + reply, grammar)
    asked, found = before.conversation, whole.conversation
    if asked.cue == "none" and not grammar.plain:
        raise FormatError(f"the prefix does not ask for a reply as {grammar.name} does", path="$.prefix", hint=_MISSING)
    start = len(asked.messages) - (asked.cue == "continue")
    messages = found.messages[start:]
    merged = _merged(messages) if messages else Message("assistant", reply)
    verdict: Verdict = whole.verdict if messages else "lossy"
    losses = whole.losses
    conversation = Conversation((merged,))
    return replace(whole, conversation=conversation, messages=write(conversation), verdict=verdict, losses=losses)


def _merged(messages: Sequence[Message]) -> Message:
    """Return one message of all parts: a format may write reasoning and calls as turns of their own."""
    if len(messages) == 1 and messages[0].role == "assistant":
        return messages[0]
    return Message.of("assistant", (part for message in messages for part in message.parts))


# by a chat template ---------------------------------------------------------------------------


def tail_of(prefix: str, marks: ReplyMarks, template: ChatTemplate) -> str:
    """Return what a prefix already holds of the reply. Raises FormatError where it asks for none."""
    places = [at + len(header) for header in marks.headers if (at := prefix.rfind(header)) >= 0]
    tail = prefix[max(places) :] if places else None
    if tail is not None and not any(end in tail for end in marks.ends):
        return tail
    for setting in prompt_marks(template):
        for found in setting.ends.values():
            for mark, asks in found:
                if asks and mark.strip() and prefix.rstrip().endswith(mark.rstrip()):
                    at = mark.find(marks.reasoning_open) if marks.reasoning_open else -1
                    return mark[at:] if at >= 0 else ""
    raise FormatError("the prefix does not end as the chat template asks for a reply", path="$.prefix", hint=_MISSING)


class _Body(NamedTuple):
    """A reply taken apart. ``rest`` is what stands after the calls or the end and belongs to nothing."""

    reasoning: str | None
    content: str
    calls: tuple[Call, ...]
    rest: str
    is_whole: bool = True


def _marks(template: ChatTemplate) -> ReplyMarks:
    marks = reply_marks(template)
    if marks is None:
        raise FormatError("the chat template writes no assistant message", path="$.format")
    return marks


def _read_by_template(text: str, template: ChatTemplate, tools: list[Any]) -> Reading:
    body = take_apart(text, _marks(template), schemas_of(tools))
    message = _message(body)
    losses = tuple(_losses(body, text, template, tools))
    conversation = Conversation((message,))
    return Reading(conversation, write(conversation), NAME, verdict_of(losses), losses)


def _message(body: _Body) -> Message:
    parts: list[Part] = [] if body.reasoning is None else [ReasoningPart(body.reasoning)]
    parts += [TextPart(body.content)] if body.content or not (body.calls or body.reasoning) else []
    parts += [
        ToolCall(call.id or f"call_{index}", call.name, json.dumps(call.arguments, ensure_ascii=False))
        for index, call in enumerate(body.calls)
    ]
    parts += [TextPart(body.rest)] if body.rest else []
    return Message.of("assistant", parts)


def _losses(body: _Body, text: str, template: ChatTemplate, tools: list[Any]) -> Iterator[Loss]:
    """Yield why a reading is not certain: what belongs to nothing, and what the template writes otherwise."""
    marks, message = _marks(template), _message(body)
    if body.rest.strip():
        yield Loss("$", "substituted", f"malformed: {body.rest.strip()[:40]!r} is no part of a reply and stays text")
    if not body.is_whole:
        yield Loss("$.reasoning", "substituted", "malformed: the reasoning does not end")
    if held := next((one for one in own_tokens(marks) if one in body.content), ""):
        yield Loss("$.content", "marker-in-content", f"malformed: {held!r} in the content is no part of a call")
    again = rendered_reply(message, template, marks, tools)
    if again is None or squeezed(again, marks) != squeezed(text, marks):
        same = again is not None and _said(take_apart(again, marks, schemas_of(tools))) == _said(body)
        yield Loss("$", "renamed" if same else "substituted", "the template writes the reply otherwise")


@lru_cache(maxsize=64)
def own_tokens(marks: ReplyMarks) -> tuple[str, ...]:
    """Return the tags and control tokens that a template writes in a reply, which no content should hold."""
    calls, keys = marks.calls, marks.calls.keys if marks.calls else None
    written = [marks.reasoning_open, marks.reasoning_close, marks.lead, marks.content_close, *marks.ends]
    written += [calls.section_open, calls.open, calls.close, calls.sep, calls.section_close] if calls else []
    written += [keys.open, keys.close] if keys else []
    tokens = [token for text in written for token in TOKEN.findall(text) if len(token) > 2]
    return tuple(dict.fromkeys([*tokens, *([first] if len(first := calls_at(calls)) > 2 else [])]))


def _said(body: _Body) -> tuple[Any, ...]:
    """Return what a reply says: ids of calls, and blanks around texts, say nothing."""
    calls = [(call.name, call.arguments) for call in body.calls]
    return (body.reasoning, body.content.strip(), calls, body.rest)


def squeezed(text: str, marks: ReplyMarks) -> str:
    """Return a reply without the mark of its end, white space and the order of its JSON aside."""
    for end in marks.ends:
        text = text.partition(end)[0] if end else text
    return "".join(text.split())


def rendered_reply(message: Message, template: ChatTemplate, marks: ReplyMarks, tools: list[Any]) -> str | None:
    """Return what a template writes for a reply, after its header."""
    asked = {"role": "user", "content": sentinel(1)}
    (said,) = wire(Conversation((message,)), reasoning_field(template, {}))
    said["content"] = said["content"] or ""  # many templates write None
    try:
        text = template.render([asked, said], tools=tools or None, parse_arguments=True)
    except DiptychError:
        return None
    after = text.rpartition(sentinel(1))[2]
    header = next((one for one in marks.headers if one in after), "")
    return after.partition(header)[2] if header else after


def take_apart(text: str, marks: ReplyMarks, tools: Schemas) -> _Body:
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
        return _Body(reasoning, content, tuple(calls), rest + left, is_whole)
    before, behind = marks.blanks
    content = _without_close(text[start:stop], marks).removesuffix(behind)
    content = content.lstrip() if position or lead else content.removeprefix(before)
    return _Body(reasoning, content, (), left, is_whole)


def _reasoning(text: str, marks: ReplyMarks) -> tuple[str | None, int, bool]:
    """Return the reasoning, where it ends, and whether its end is marked."""
    if not marks.reasoning_close:
        return None, 0, True
    opened = pattern_of(marks.reasoning_open).match(text) if marks.reasoning_open else None
    if marks.reasoning_open and opened is None:
        return None, 0, True
    start = opened.end() if opened else 0
    closed = pattern_of(marks.reasoning_close).search(text, start)
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
    return re.compile(r"\s*" + r"\s*".join(map(re.escape, mark.split())))


# streaming ------------------------------------------------------------------------------------


@dataclass
class _Scan:
    """Hands over what is certain of a reply while it comes.

    ``phase``: ``start`` (nothing is known), ``reasoning``, ``content``, ``held`` (a mark was seen, or
    nothing can be known before the end). White space is held back until something follows it.
    """

    marks: ReplyMarks
    text: str = ""
    position: int = 0
    phase: str = "start"
    skips: bool = False

    def feed(self, text: str) -> list[Event]:
        """Take a piece of the reply; return what is certain."""
        self.text += text
        events: list[Event] = []
        while (phase := self.phase) != "held":
            events += getattr(self, f"_{phase}")()
            if self.phase == phase:
                break
        return [event for event in events if event.text]

    def _start(self) -> list[Event]:
        """Wait until the first characters say whether reasoning, a content or a call begins."""
        marks, seen = self.marks, self.text.lstrip()
        if marks.reasoning_close and not marks.reasoning_open:
            self.phase = "held"  # reasoning that no mark opens is known by its end alone
        elif marks.reasoning_open and seen.startswith(marks.reasoning_open):
            self.position = self.text.index(marks.reasoning_open) + len(marks.reasoning_open)
            self.phase, self.skips = "reasoning", True
        elif seen and not _may_become(seen, (marks.reasoning_open, marks.lead)):
            self.phase = "lead"
        return []

    def _reasoning(self) -> list[Event]:
        return self._until((self.marks.reasoning_close,), "reasoning", "lead")

    def _lead(self) -> list[Event]:
        """Skip what stands before a content."""
        rest = self.text[self.position :].lstrip()
        if not rest or _may_become(rest, (self.marks.lead,)):
            return []
        lead = pattern_of(self.marks.lead).match(self.text, self.position) if self.marks.lead else None
        blank = self.marks.blanks[0]
        self.skips = self.position > 0 or lead is not None
        if lead is not None:
            self.position = lead.end()
        elif not self.skips and self.text.startswith(blank):
            self.position = len(blank)
        self.phase = "content"
        return []

    def _content(self) -> list[Event]:
        marks = self.marks
        call = calls_at(marks.calls)
        if marks.calls and not is_marked(marks.calls):
            self.phase = "held"  # no token says where a call begins
            return []
        return self._until((*marks.ends, marks.content_close, call), "text", "held")

    def _until(self, ends: Sequence[str], kind: Any, following: str) -> list[Event]:
        """Hand over what stands before the first of these marks, or before what may become one."""
        ends = [end for end in ends if end]
        found = min((at for end in ends if (at := self.text.find(end, self.position)) >= 0), default=-1)
        stop = found if found >= 0 else _safe(self.text, self.position, ends)
        piece = self.text[self.position : stop]
        if self.skips:
            self.position += len(piece) - len(piece.lstrip())
            piece = piece.lstrip()
        kept = piece.rstrip()
        self.skips = self.skips and not kept
        self.position += len(kept)
        if found >= 0:
            self.phase = following
            self.position = found + len(next(end for end in ends if self.text.startswith(end, found)))
        return [Event(kind, text=kept)]


def _may_become(text: str, marks: Sequence[str]) -> bool:
    """Return whether more text could complete one of these marks at the beginning of a text."""
    return any(mark and len(text) < len(mark) and mark.startswith(text) for mark in marks)


def _safe(text: str, start: int, marks: Sequence[str]) -> int:
    """Return up to where a text holds no beginning of a mark that more text could complete."""
    longest = max(map(len, marks), default=1)
    for at in range(max(start, len(text) - longest + 1), len(text)):
        if any(mark.startswith(text[at:]) for mark in marks):
            return at
    return len(text)
