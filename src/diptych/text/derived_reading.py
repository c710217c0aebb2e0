"""Read a prompt that a chat template wrote: propose conversations by its marks, prove them by rendering.

Rule: a reading is lossless only where the template renders it to the identical text (a mark of the
beginning that the server adds may be absent), no content holds marks of the template, and what the
template writes around texts are control tokens, which no text holds by accident.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import chain, islice
from typing import Any, Final, NamedTuple

from ..errors import DiptychError, ResourceLimit
from ..format import Reading
from ..loss import Loss, verdict_of
from ..model import Conversation, Cue, FrozenMap, Message, ToolCall, ToolSpec
from ..projection import write
from ..sandbox.chat_template import ChatTemplate
from . import doubts, marks
from .derived import ROLES, Marks, formats, marks_of, marks_with_tools, pattern
from .reply_body import message_of, take_apart
from .reply_calls import calls_at
from .reply_marks import reply_marks

NAME: Final = "chat-template"
#: So far into a prompt tools are looked for, and at so many opening braces.
_PREAMBLE: Final = 200_000
_BRACES: Final = 300
#: So many characters are rendered for one prompt, and so many times it is tried at least.
_EFFORT: Final = 2_000_000
_FEWEST: Final = 6
#: How many conversations are proposed under one setting of the template's variables.
_TRIES: Final = 12


class _Text(NamedTuple):
    """A prompt as the template would have written it; ``masked`` hides data; ``losses``: what was added."""

    text: str
    masked: str
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True)
class _Walk:
    """A way through a text: what each text is and where it stands, and what the end asks for."""

    slots: str
    ranges: tuple[tuple[int, int], ...]
    cue: Cue
    now: datetime | None
    skipped: tuple[int, ...] = ()


class _Proposal(NamedTuple):
    conversation: Conversation
    text: _Text
    walk: _Walk
    marks: Marks


def read_template(prompt: str, template: ChatTemplate, masked: str) -> Reading:
    """Read a prompt by the chat template that wrote it; ``masked`` is the prompt with its data hidden."""
    first: _Proposal | None = None
    late: _Proposal | None = None
    tries = max(_FEWEST, _EFFORT // (len(prompt) + 1))
    for found in islice(_proposals(prompt, template, masked), tries):
        first = first or found
        try:
            again = rendered(template, found.conversation, found.marks, found.walk.now)
        except ResourceLimit as error:  # nor can another of this size be proved
            return _lossy(first.conversation, f"the reading cannot be proved: {error.message}")
        if again == found.text.text:
            if found.conversation.cue != "continue":
                return _proved(found)
            late = late or found  # another setting may have written what looks like the beginning of a reply
    return _proved(late) if late else _unproved(prompt, first, template)


def _proposals(prompt: str, template: ChatTemplate, masked: str) -> Iterator[_Proposal]:
    tools = tools_in(prompt) if "tools" in template.variables else ()
    known = marks_of(template)
    for setting in chain([marks_with_tools(template, tools)], known) if tools else known:
        given = tools if "tools" in setting.options else ()
        for text in _texts(prompt, masked, template, setting):
            for walk in islice(_walks(text.masked, setting), _TRIES):
                for conversation in _conversations(text.text, walk, template):
                    yield _Proposal(replace(conversation, tools=given), text, walk, setting)


def tools_in(text: str) -> tuple[ToolSpec, ...]:
    """Return the tools that a prompt offers as JSON.

    >>> tools_in('You have {"name": "f", "parameters": {"type": "object"}}')[0].name
    'f'
    """
    found: list[ToolSpec] = []
    last = 0
    for opened in islice(re.finditer(r"\{", text[:_PREAMBLE]), _BRACES):
        if opened.start() < last:
            continue
        try:
            value, last = json.JSONDecoder().raw_decode(text, opened.start())
        except (ValueError, RecursionError):
            continue
        inner = value.get("function", value)
        if isinstance(inner, dict) and isinstance(inner.get("name"), str) and isinstance(inner.get("parameters"), dict):
            found.append(_tool(inner))
    return tuple(found)


def _tool(function: dict[str, Any]) -> ToolSpec:
    about = function.get("description")
    parameters = FrozenMap(function["parameters"])
    return ToolSpec(function["name"], about if isinstance(about, str) else None, parameters, function.get("strict"))


def _texts(prompt: str, masked: str, template: ChatTemplate, setting: Marks) -> Iterator[_Text]:
    """Yield the prompt, and the prompt with the mark of the beginning as the template has it."""
    yield _Text(prompt, masked)
    bos = template.special.get("bos_token") or ""
    if not bos:
        return
    writes = any(mark.startswith(bos) for mark, _ in setting.after.get("^", ()))
    if writes and not prompt.startswith(bos):
        said = Loss("$", "synthesised", f"the template writes {bos!r} first; the prompt leaves it to the server")
        yield _Text(bos + prompt, bos + masked, (said,))
    elif prompt.startswith(bos):
        said = Loss("$", "synthesised", f"the prompt begins with {bos!r} that the template does not write")
        yield _Text(prompt[len(bos) :], masked[len(bos) :], (said,))


# ways through a text --------------------------------------------------------------------------


@lru_cache(maxsize=512)
def _next(setting: Marks, slot: str) -> tuple[re.Pattern[str], tuple[tuple[str, str], ...]]:
    pairs = setting.after.get(slot, ())
    # Each mark is one group; the dates in it are groups without a number of their own.
    inner = (pattern(mark).replace("(", "(?:") if formats(mark) else re.escape(mark) for mark, _ in pairs)
    return re.compile("|".join(f"({one})" for one in inner) or r"(?!)"), pairs


def _walks(text: str, setting: Marks) -> Iterator[_Walk]:
    """Yield ways through a text, the plain ones first; then those that take one mark for content."""
    plain = []
    for mark, slot in setting.after.get("^", ()):
        opened = re.match(pattern(mark), text)
        if opened and (walk := _walk(text, setting, slot, opened.end(), _now(mark, opened), frozenset())):
            plain.append((mark, slot, opened, walk))
            yield walk
    for mark, slot, opened, walk in plain:
        for at in walk.skipped:
            again = _walk(text, setting, slot, opened.end(), _now(mark, opened), frozenset({at}))
            if again:
                yield again


def _now(mark: str, found: re.Match[str]) -> datetime | None:
    for shape, group in zip(formats(mark), found.groups(), strict=False):
        try:
            return datetime.strptime(group, shape)
        except ValueError:
            continue
    return None


def _walk(
    text: str, setting: Marks, slot: str, position: int, now: datetime | None, skip: frozenset[int]
) -> _Walk | None:
    slots, passed = "", list[int]()
    ranges: list[tuple[int, int]] = []
    while True:
        slots += slot
        regex, pairs = _next(setting, slot)
        following = next((m for m in regex.finditer(text, position) if m.start() not in skip), None)
        end = _end(text, position, setting, slot)
        if following is None or (end is not None and end[0] <= following.start()):
            stop, cue = end or (len(text), "continue" if slot in "ar" else "none")
            return _Walk(slots, (*ranges, (position, stop)), cue, now, tuple(passed[:8]))
        ranges.append((position, following.start()))
        passed.append(following.start())
        mark, slot = pairs[(following.lastindex or 1) - 1]
        if now is None and formats(mark):
            now = _now(mark, re.match(pattern(mark), following.group()) or following)
        position = following.end()


def _end(text: str, position: int, setting: Marks, slot: str) -> tuple[int, Cue] | None:
    """Return where the end of the last text is marked, and what it asks for."""
    known = setting.ends.get(slot, ())
    for shorten in (False, True):
        for mark, asks in sorted(known, key=lambda pair: (-len(pair[0]), pair[1] != (slot != "a"))):
            mark = mark.rstrip() if shorten else mark
            if text.endswith(mark) and len(text) - len(mark) >= position:
                return len(text) - len(mark), "reply" if asks else "none"
    return None


# conversations --------------------------------------------------------------------------------


def _conversations(text: str, walk: _Walk, template: ChatTemplate) -> Iterator[Conversation]:
    """Yield the conversations of a way: with tool calls, as texts, and with the system text in front."""
    plain = [*_messages(text, walk)]
    for messages in (*_with_calls(plain, template), plain):
        yield Conversation(tuple(messages), cue=walk.cue)
        if walk.slots[-1] == "a" and walk.cue != "continue":  # the mark of the end may be part of what is continued
            last = messages[-1].with_text(text[walk.ranges[-1][0] :])
            yield Conversation((*messages[:-1], last), cue="continue")
        system = [message for message in messages if message.role in ("system", "developer")]
        ordered = [*system, *(message for message in messages if message not in system)]
        if ordered != messages:
            yield Conversation(tuple(ordered), cue=walk.cue)


def _messages(text: str, walk: _Walk) -> Iterator[Message]:
    reasoning: str | None = None
    for slot, (start, end) in zip(walk.slots, walk.ranges, strict=True):
        if slot == "r":
            reasoning = text[start:end]
        else:
            yield Message(ROLES[slot], text[start:end], reasoning=reasoning)
            reasoning = None
    if reasoning is not None:
        yield Message("assistant", "", reasoning=reasoning)


def _with_calls(messages: list[Message], template: ChatTemplate) -> Iterator[list[Message]]:
    """Yield messages whose calls are read, each result linked to its call: with the tool's name, and without."""
    marks = reply_marks(template)
    opened = calls_at(marks.calls) if marks else ""
    if marks is None or not any(opened in message.text for message in messages if message.role == "assistant"):
        return
    found: list[Message] = []
    asked: list[ToolCall] = []
    for message in messages:
        if message.role == "assistant":
            body = take_apart(message.text, replace(marks, reasoning_close="", ends=()), {})
            message = message_of(body._replace(reasoning=message.reasoning), len(asked)) if body.calls else message
            asked += message.tool_calls
        elif message.role == "tool" and asked:
            call = asked[min(sum(one.role == "tool" for one in found), len(asked) - 1)]
            message = message.replace(tool_call_id=call.id, name=call.name)
        found.append(message)
    if asked:
        yield found
        yield [message.replace(name=None) for message in found]


def rendered(template: ChatTemplate, conversation: Conversation, setting: Marks, now: datetime | None) -> str | None:
    """Return what a template makes of a conversation, None where it refuses it. Raises ResourceLimit."""
    try:
        return template.render(
            wire(conversation, setting.reasoning),
            add_generation_prompt=conversation.cue == "reply",
            continue_final_message=conversation.cue == "continue",
            now=now,
            parse_arguments=True,
            **setting.options,
        )
    except ResourceLimit:
        raise
    except DiptychError:
        return None


def wire(conversation: Conversation, reasoning: str) -> list[dict[str, Any]]:
    """Return the messages as a template takes them: reasoning in the field that it reads."""
    messages = write(conversation)
    for message in messages:
        message["content"] = message["content"] or ""  # for a call alone: many templates write None
    if reasoning and reasoning != "reasoning_content":
        for message in messages:
            if "reasoning_content" in message:
                message[reasoning] = message.pop("reasoning_content")
    return messages


# verdicts -------------------------------------------------------------------------------------


def _proved(found: _Proposal) -> Reading:
    conversation, losses = found.conversation, found.text.losses
    if options := {name: value for name, value in found.marks.options.items() if name != "tools"}:
        said = ", ".join(f"{name}={value}" for name, value in options.items())
        losses = (*losses, Loss("$", "defaulted", f"the template wrote it with {said}"))
    if found.walk.now is not None:
        losses = (*losses, Loss("$", "defaulted", f"the template wrote it on {found.walk.now:%Y-%m-%d}"))
    reading = Reading(conversation, write(conversation), NAME, verdict_of(losses), losses)
    return doubts.questioned(reading, found.text.text, [*_doubts(found)])


def _doubts(found: _Proposal) -> Iterator[str]:
    """Yield why a proved reading could still be another."""
    own = _tokens(found.marks)
    if not own:
        yield doubts.LABELS
    contents = "\0".join(found.text.masked[start:end] for start, end in found.walk.ranges)
    if any(mark in contents for mark in own) or any(mark in contents for mark in _words(found.marks)):
        yield doubts.OWN_MARK
    elif foreign := [mark for mark in marks.marks_of(contents) if mark.text not in own]:
        yield marks.say(foreign, contents)


@lru_cache(maxsize=128)
def _tokens(setting: Marks) -> frozenset[str]:
    """Return the control tokens that a template writes."""
    return frozenset(mark.text for literal in setting.literals for mark in marks.marks_of(literal))


@lru_cache(maxsize=128)
def _words(setting: Marks) -> frozenset[str]:
    """Return the marks that open a text, without the white space around them."""
    opens = {mark.strip() for found in setting.after.values() for mark, _ in found if mark.strip()}
    return frozenset(line for mark in opens for line in mark.split("\n") if len(line.strip()) > 2)


def _unproved(prompt: str, first: _Proposal | None, template: ChatTemplate) -> Reading:
    """Return the nearest reading, with where the template would write it otherwise."""
    if first is None:
        return _lossy(Conversation((Message("user", prompt),)), "the template does not write such a text")
    text = rendered(template, first.conversation, first.marks, first.walk.now)
    if text is None:
        return _lossy(first.conversation, "the template refuses the messages that this looks like")
    return _lossy(first.conversation, *_difference(prompt, text))


def _lossy(conversation: Conversation, detail: str, kind: str = "substituted") -> Reading:
    losses = (Loss("$", kind, detail),)
    return Reading(conversation, write(conversation), NAME, verdict_of(losses), losses, confidence=0.3)


def _difference(prompt: str, text: str) -> tuple[str, str]:
    """Return where a text differs from the prompt, and the kind of that loss."""
    shortest = min(len(prompt), len(text))
    at = next((i for i in range(shortest) if prompt[i] != text[i]), shortest)
    kind = "trimmed" if "".join(prompt.split()) == "".join(text.split()) else "substituted"
    was, is_ = prompt[at : at + 20], text[at : at + 20]
    return f"the template writes another text from character {at}: {was!r} became {is_!r}", kind
