"""Read a prompt text back into a conversation, by a grammar.

Rule: a reading is proved by writing it again. ``lossless`` means that this gives the
identical text and that no other reading exists; a text that only carries labels
could always have been one message, so its reading is at best ``ambiguous``, and so is
one whose contents hold marks of the format.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..errors import FormatError
from ..format import Format, Reading
from ..loss import Loss, Verdict, verdict_of
from ..model import Conversation, Message, ToolSpec
from ..projection import write
from ..sandbox.chat_template import ChatTemplate
from . import doubts, guard, labels, marks
from .derived_reading import read_template
from .detection import detect, likeliest
from .doubts import STRANGE_START, whole
from .grammar import Grammar
from .grammars.fim import dialect_of
from .names import LABELLED
from .parse import BEGINNINGS, OPAQUE, Parse, Range, after_beginning, after_marks
from .registry import brought_grammars, grammar_of, grammars
from .rivals import can_close, differ, explained, looks_simple, oddity, scans_of, talk, unlike
from .scan import UNSURE, Scan, scan, system_apart
from .speakers import Speakers, speakers
from .turns import conversation_of, tools_apart, turns_of
from .writing import unproved, write_text

Hints = Mapping[str, Any]
#: Ranges of characters that cannot be structure: data, or the holes of a template.
Opaque = Sequence[tuple[int, int]]


def read_text(
    prompt: str, format: str | Grammar | ChatTemplate = "auto", *, hints: Hints | None = None, opaque: Opaque = ()
) -> Reading:
    """Read a prompt in a text format, in that of a chat template, or in the one it looks like (``auto``).

    ``hints`` names speaker labels: ``{"Customer": "user"}``, or ``{"user_labels": […],
    "assistant_labels": […]}``. ``opaque`` are ranges that nothing is recognised in.
    Raises FormatError for an unknown format, or for a value that is not text.
    """
    if not isinstance(prompt, str):
        raise FormatError(f"a prompt is text, not {type(prompt).__name__}", path="$")
    masked = _mask(prompt, opaque)
    if isinstance(format, ChatTemplate):
        return read_template(prompt, format, masked)
    grammar = None if format == "auto" else grammar_of(format)
    if prompt[:1] == "\ufeff" != prompt[1:2] and not opaque and (reading := _without_bom(prompt, format, hints)):
        return reading
    if "\r\n" in prompt and not opaque and (reading := _of_lines(prompt, format, hints)):
        return reading
    reading = _read(prompt, masked, grammar, hints)
    return doubts.questioned(reading, prompt, doubts.reasons(reading, masked, grammar, hints))


def _of_lines(prompt: str, format: str | Grammar, hints: Hints | None) -> Reading | None:
    """Return the reading of a file whose lines all end in CRLF, None where it has no turns or other line ends."""
    text = prompt.replace("\r\n", "\n")
    if prompt.count("\n") != len(prompt) - len(text) or "\r" in text:
        return None
    return _changed(read_text(text, format, hints=hints), "its line breaks, CRLF, are read as LF")


def _without_bom(prompt: str, format: str | Grammar, hints: Hints | None) -> Reading | None:
    """Return the reading of a file behind its byte order mark, None where it has no turns."""
    return _changed(read_text(prompt[1:], format, hints=hints), "its byte order mark is left out")


def _changed(reading: Reading, detail: str) -> Reading | None:
    """Return a reading of a changed text with this loss, None where it has no turns."""
    if reading.format == "plain":
        return None
    loss = Loss("$", "substituted", detail)
    verdict: Verdict = "lossy" if reading.verdict == "lossless" else reading.verdict
    return replace(reading, losses=(loss, *reading.losses), verdict=verdict)


def _read(prompt: str, masked: str, grammar: Grammar | None, hints: Hints | None) -> Reading:
    if grammar is None:
        if dialect := dialect_of(masked):
            hint = f"it is {dialect}: convert it to 'completions', a prompt and its suffix"
            raise FormatError("fill-in-the-middle prompts cannot be converted to messages", path="$", hint=hint)
        return _detected(prompt, masked, hints)
    if grammar.name in LABELLED:
        return _labelled(prompt, masked, hints, grammar.name, own=grammar)
    return _marked(prompt, masked, grammar, 1.0)


def _mask(prompt: str, opaque: Opaque) -> str:
    if not opaque:
        return prompt
    pieces, last = [], 0
    for start, end in opaque:
        pieces += [prompt[last:start], OPAQUE * (end - start)]
        last = end
    return "".join([*pieces, prompt[last:]])


# detection ----------------------------------------------------------------------------------


def dialects(prompt: str) -> list[tuple[str, float, str, str]]:
    """Return every format that a prompt may be of: name, confidence, verdict, and where it differs.

    The nearest comes first; the last field is empty where writing it again gives the
    identical text.

    >>> dialects("[INST]Hi[/INST]")[0][0]
    'mistral-tekken'
    """
    found = []
    for grammar in grammars().values():
        confidence = detect(prompt, grammar)
        if confidence > 0:
            reading = _marked(prompt, prompt, grammar, confidence)
            reading = doubts.questioned(reading, prompt, doubts.reasons(reading, prompt, None, None))
            detail = reading.losses[0].detail if reading.losses else ""
            found.append((grammar.name, confidence, reading.verdict, detail))
    return sorted(found, key=lambda row: (-row[1], bool(row[3]), row[0]))


def _detected(prompt: str, masked: str, hints: Hints | None) -> Reading:
    if hints and not _is_certain(masked, hints):
        reading = _after_beginning(prompt, masked, hints) or _labelled(prompt, masked, hints, "transcript")
        if reading.format != "plain":
            return reading
    for known in (grammars, brought_grammars):  # what others brought is asked last
        best = likeliest(masked, known())
        if best and best[0][0] > 0.2:
            return _without_strange_start(prompt, _most_exact(_readings(prompt, masked, best)))
    return _after_beginning(prompt, masked) or _labelled(prompt, masked, None, "transcript")


def _is_certain(masked: str, hints: Hints) -> bool:
    """Return whether a text begins with a turn of special tokens that no hint names: it outweighs words."""
    if any(marks.marks_of(hint) for hint in labels.read_hints(hints)):
        return False
    return any(sure >= 0.85 for sure, _ in likeliest(masked, grammars())[:1])


def _after_beginning(prompt: str, masked: str, hints: Hints | None = None) -> Reading | None:
    """Return the reading of speaker labels that stand behind marks of the beginning."""
    start = after_beginning(masked)
    bos = prompt[:start].strip()
    found = _labelled(prompt[start:], masked[start:], hints, "transcript") if bos else None
    if found is None or found.format == "plain":
        return None
    loss = Loss("$", "substituted", f"the text begins with {bos!r}, not with a turn")
    return replace(found, losses=(loss, *found.losses))


def _without_strange_start(prompt: str, reading: Reading) -> Reading:
    """Return a reading as one message where the text before its first turn holds marks of its own.

    Such a text is no system message: it is the beginning of a chat in a format that is not known.
    """
    first = reading.conversation.messages[:1]
    if not first or first[0].role != "system" or not marks.marks_of(first[0].text):
        return reading
    if not prompt.startswith(first[0].text, after_beginning(prompt)):
        return reading
    return replace(whole(prompt, 0.3), verdict="ambiguous", alternatives=(reading,), detail=STRANGE_START)


def _readings(prompt: str, masked: str, ranked: list[tuple[float, Grammar]]) -> list[Reading]:
    """Return what the grammars read, but for what cannot be the most exact reading, or says what another does."""
    scans = scans_of(prompt, masked, ranked)
    if len(scans) == 1 and scans[0][2].state == "plain":
        confidence, grammar, found = scans[0]
        return [_marked(prompt, masked, grammar, confidence, found)]
    found_by, is_sure = explained(scans)
    is_bare = any(found.state == "bare" for *_, found in found_by)
    readings: list[Reading] = []
    is_simple = False
    for confidence, grammar, found in unlike(found_by):
        if found.state in ("broken", "bare") and is_sure:
            continue  # it reads with a loss, or with marks in contents, and another does not
        if (found.state == "bare" and is_simple) or (
            found.state == "broken" and (is_bare or is_simple) and not can_close(grammar, prompt)
        ):
            continue  # it reads with a loss, and no better than the likelier one
        readings.append(_marked(prompt, masked, grammar, confidence, found))
        first = readings[0]
        is_simple = is_simple or (bool(first.losses) and looks_simple([m.text for m in first.conversation.messages]))
    return readings


def _most_exact(readings: list[Reading]) -> Reading:
    """Return the reading that writes the identical text; the others, where they differ, beside it."""
    order = {"lossless": 0, "ambiguous": 1, "lossy": 2}
    best = readings[0]
    if len(readings) > 1:
        readings = _clean(readings)
        best = min(readings, key=lambda r: (not _is_exact(r), -r.confidence, order[r.verdict], *oddity(talk(r), r)))
    exact = [r for r in readings if r is not best and _is_exact(r) and r.confidence == best.confidence]
    exact = [
        r for r in exact if differ(talk(r), talk(best)) and bool(r.conversation.tools) == bool(best.conversation.tools)
    ]
    if not _is_exact(best) or not exact:
        confidence = min(0.99, best.confidence + 0.09) if best.verdict == "lossless" else best.confidence
        return replace(best, confidence=confidence)
    others = tuple(replace(r, alternatives=()) for r in exact)
    names = ", ".join(r.format for r in exact)
    detail = f"the text reads as {best.format}, and with other contents as {names}: name its format"
    return replace(best, verdict="ambiguous", alternatives=(*best.alternatives, *others), detail=best.detail or detail)


def _clean(readings: list[Reading]) -> list[Reading]:
    """Leave out what leaves control tokens in contents where another reading of the same kind leaves none."""
    clean = [r for r in readings if r.detail != doubts.OWN_MARK and not marks.held(talk(r).texts)]
    return clean if 0 < len(clean) < len(readings) and len(clean[0].messages) > 1 else readings


def _is_exact(reading: Reading) -> bool:
    return verdict_of(reading.losses) == "lossless"


# formats of markers -------------------------------------------------------------------------


def _marked(prompt: str, masked: str, grammar: Grammar, confidence: float, found: Scan | None = None) -> Reading:
    if grammar.reader is not None:
        return _own_reading(prompt, masked, grammar, confidence)
    if found is None or (found.state == "bare" and not found.roles):
        found = scan(grammar, prompt) if masked is prompt else UNSURE
    if found.state in ("plain", "bare"):
        return _scanned(prompt, found, grammar, confidence)
    return _parsed(prompt, masked, grammar, confidence)


def _scanned(prompt: str, found: Scan, grammar: Grammar, confidence: float) -> Reading:
    """Return the reading of turns that a scan found; nothing has to be proved."""
    messages = [*map(Message, found.roles, found.texts)]
    for index, thought in enumerate(found.thoughts or ()):
        if thought is not None:
            messages[index] = Message(found.roles[index], found.texts[index], reasoning=thought)
    conversation = Conversation(tuple(messages), cue=found.cue)
    losses = [*_of_beginning(found.bos, prompt, grammar)]
    if found.sheet and not _writes_sheet(prompt[len(found.bos) :], conversation, grammar):
        losses += _of_sheet(found.sheet, conversation, grammar)
    if found.state == "bare":  # so much of it as shows the difference: the first turn that writing closes
        begun = replace(conversation, messages=tuple(messages[: found.closed + 25]))
        losses = [*losses, *_difference(prompt[len(found.bos) :], begun, grammar, len(found.bos))][:1]
    return Reading(conversation, write(conversation), grammar.name, verdict_of(losses), tuple(losses), (), confidence)


def _parsed(prompt: str, masked: str, grammar: Grammar, confidence: float) -> Reading:
    """Return the reading of a careful parse, proved by writing it again."""
    bare, tools = tools_apart(prompt, grammar) if masked is prompt else (prompt, ())
    if tools:
        return _with_tools(_marked(bare, bare, grammar, confidence), prompt, tools, grammar)
    turns = turns_of(masked, grammar)
    conversation = conversation_of(prompt, turns, grammar)
    conversation = _in_order(conversation, grammar)
    losses = _proof(prompt, conversation, grammar, turns)
    reading = Reading(
        conversation, write(conversation), grammar.name, verdict_of(losses), losses, (), confidence
    )  # fmt: skip
    seen = conversation if masked is prompt else conversation_of(masked, turns, grammar)
    holds = any(guard.holds_marker(grammar, message.text) for message in seen.messages)
    other = whole(prompt, round(1 - confidence, 2))
    if other.conversation == conversation or not (holds or not grammar.is_certain) or grammar.plain:
        return reading
    detail = doubts.OWN_MARK if holds else doubts.LABELS
    return replace(reading, verdict="ambiguous", alternatives=(other,), detail=detail)


def _own_reading(prompt: str, masked: str, grammar: Grammar, confidence: float) -> Reading:
    conversation: Conversation = grammar.reader(prompt, masked)
    losses = _proof(grammar.cue + prompt if prompt.startswith("<|channel|>") else prompt, conversation, grammar)
    hidden: Conversation = conversation if masked is prompt else grammar.reader(masked, masked)
    holds = any(guard.holds_marker(grammar, message.text) for message in hidden.messages)
    reading = Reading(conversation, write(conversation), grammar.name, verdict_of(losses), losses, (), confidence)
    if not holds:
        return reading
    return replace(reading, verdict="ambiguous", alternatives=(whole(prompt, 0.1),), detail=doubts.OWN_MARK)


def _with_tools(reading: Reading, prompt: str, tools: tuple[ToolSpec, ...], grammar: Grammar) -> Reading:
    """Return a reading with the tools that stand between its turns, proved by writing them again."""
    conversation = replace(reading.conversation, tools=tools)
    bos = prompt[: after_marks(prompt)]
    losses = (*reading.losses, *_difference(prompt[len(bos) :], conversation, grammar, len(bos)))
    verdict = reading.verdict if verdict_of(losses) == "lossless" else "lossy"
    return replace(reading, conversation=conversation, losses=losses, verdict=verdict)


def _in_order(conversation: Conversation, grammar: Grammar) -> Conversation:
    """Put a system text that stood in the last user turn back to the front."""
    if grammar.system != "last-user":
        return conversation
    system = [m for m in conversation.messages if m.role == "system"]
    return replace(conversation, messages=(*system, *(m for m in conversation.messages if m.role != "system")))


def _proof(prompt: str, conversation: Conversation, grammar: Grammar, found: Parse | None = None) -> tuple[Loss, ...]:
    """Return the loss where writing again does not give the text behind the marks of its beginning.

    What a model's own template writes around a system text may be any of its kind: it is reported, exact.
    """
    bos = found.bos if found else ""
    begun = _of_beginning(bos, prompt, grammar)
    if verdict_of(begun) == "lossy":
        return begun
    losses = _difference(prompt[len(bos) :], conversation, grammar, len(bos))
    if losses and found and (sheet := _sheet_of(prompt, found, grammar)):
        lines, end = sheet
        if _is_same_behind(prompt[end:], conversation, grammar):
            losses = _of_sheet(lines, conversation, grammar)
    return (*begun, *losses)


def _of_beginning(bos: str, prompt: str, grammar: Grammar) -> tuple[Loss, ...]:
    """Return what is to be said of the marks that a text begins with."""
    if bos in ("", grammar.bos):
        return (Loss("$", "substituted", f"the text begins with {bos!r} twice"),) if _doubled(bos, prompt) else ()
    if bos in BEGINNINGS and not _doubled(bos, prompt):
        own = f"; the format begins with {grammar.bos!r}" if grammar.bos else ""
        return (Loss("$", "synthesised", f"the text begins with {bos!r}, which a tokenizer adds{own}"),)
    return (Loss("$", "substituted", f"the text begins with {bos.strip()!r}, not with {_said(grammar.bos)}"),)


def _doubled(bos: str, prompt: str) -> bool:
    return bool(bos) and prompt.startswith(bos, len(bos))


def _of_sheet(lines: str, conversation: Conversation, grammar: Grammar) -> tuple[Loss, ...]:
    """Return what is to be said of lines of a model's template, around a text, or one that may be empty."""
    has_own = bool(conversation.messages) and conversation.messages[0].role == "system"
    found = re.fullmatch(grammar.sheet, lines, re.DOTALL)
    may_be_empty = found is None or any(group is not None for group in found.groups())
    kind = "synthesised" if has_own or not may_be_empty else "substituted"
    return (Loss("$", kind, f"lines that the model's template writes: {lines!r}"),)


def _sheet_of(prompt: str, found: Parse, grammar: Grammar) -> tuple[str, int] | None:
    """Return the lines of a template around the system text, and where the system turn ends."""
    first = found.ranges[0] if found.ranges else None
    if first is None or first.role != "system" or not (grammar.sheet or grammar.system_prefix):
        return None
    lines, _ = system_apart(grammar, prompt[first.start : first.end])
    turn = grammar.turns.get("system")
    closes = sorted((turn.close, *turn.also_closes), key=len, reverse=True) if turn else []
    close = next((close for close in closes if prompt.startswith(close, first.end)), "")
    return (lines, first.end + len(close)) if lines else None


def _is_same_behind(rest: str, conversation: Conversation, grammar: Grammar) -> bool:
    """Return whether writing again gives the same text behind the system turn."""
    return _again(conversation, grammar) == _head(conversation, grammar) + rest


def _writes_sheet(text: str, conversation: Conversation, grammar: Grammar) -> bool:
    """Return whether the lines of a template are those that the format itself writes."""
    head = _head(conversation, grammar)
    return bool(head) and text.startswith(head)


def _head(conversation: Conversation, grammar: Grammar) -> str:
    """Return what is written before the first message that is not the system's."""
    systems = tuple(message for message in conversation.messages[:1] if message.role == "system")
    return unproved(Conversation(systems), grammar, cue=False, bos=False)


def _difference(text: str, conversation: Conversation, grammar: Grammar, start: int) -> tuple[Loss, ...]:
    again = _again(conversation, grammar)
    if grammar.bos and again.startswith(grammar.bos):  # of the first turn
        text, again = text.removeprefix(grammar.bos), again.removeprefix(grammar.bos)
    return () if again == text else (Loss("$", _change(text, again), _first_difference(text, again, start)),)


def _said(bos: str) -> str:
    return repr(bos) if bos else "a turn"


def _again(conversation: Conversation, grammar: Grammar) -> str:
    text = unproved(conversation, grammar, cue=conversation.cue == "reply", bos=False)
    last = conversation.messages[-1] if conversation.messages else None
    if conversation.cue == "continue" and last is not None:
        # The prompt ends inside the last turn: its close has not been written.
        close = (last.tool_calls and grammar.calls and grammar.calls.close) or grammar.turns["assistant"].close
        text = text[: len(text) - len(close)] if close and text.endswith(close) else text
    return text


def _change(prompt: str, again: str) -> str:
    return "trimmed" if "".join(prompt.split()) == "".join(again.split()) else "substituted"


def _first_difference(prompt: str, again: str, start: int) -> str:
    # The first number of characters by which the beginnings differ, less one.
    shortest = min(len(prompt), len(again))
    at = bisect_left(range(1, shortest + 1), True, key=lambda end: not again.startswith(prompt[:end]))
    was, is_ = prompt[at : at + 20], again[at : at + 20]
    return f"written again, the text differs from character {start + at}: {was!r} became {is_!r}"


# formats of labels --------------------------------------------------------------------------


def _labelled(prompt: str, masked: str, hints: Hints | None, name: str, own: Grammar | None = None) -> Reading:
    plain = whole(prompt, 0.6)
    seen = speakers(masked, hints)
    if seen is None and own is not None:
        found = labels.own_labels(masked, own.labels)
        seen = Speakers(tuple(found), "talk") if found else None
    if seen is None:
        return plain
    if seen.kind == "lines":
        return replace(plain, verdict="ambiguous", alternatives=(_lines_reading(prompt),), detail=doubts.LABELS)
    first = next(iter(seen.labels))
    said = f"{doubts.LABELS} ({first.text.strip()} at {marks.place_of(prompt, first.start)})"
    few_shot = seen.kind in ("examples", "pairs", "trace")
    name = "few-shot" if few_shot and own is None else name
    turns = _turns_reading(prompt, masked, seen, name)
    others = (*_named_examples(turns),) if few_shot or seen.kind == "hinted" else ()
    if seen.kind in ("pairs", "trace", "slot"):
        turns = replace(turns, alternatives=(), confidence=0.4)
        return replace(plain, verdict="ambiguous", alternatives=(turns, *others), detail=said)
    others = (replace(plain, confidence=0.2), *others)
    return replace(turns, verdict="ambiguous", alternatives=others, detail=said)


def _turns_reading(prompt: str, masked: str, seen: Speakers, name: str) -> Reading:
    found = labels.parse_labelled(masked, seen.labels)
    grammar = grammar_of(name)
    if seen.kind == "slot":
        found = Parse([Range("user", r.start, r.end) for r in found.ranges], found.cue)
    conversation = conversation_of(prompt, found, grammar)
    losses = _proof(prompt, conversation, grammar)
    confidence = 0.9 if seen.kind == "hinted" else 0.8
    return Reading(conversation, write(conversation), name, "ambiguous", losses, (), confidence)


def _named_examples(turns: Reading) -> list[Reading]:
    """Return the reading in which the pairs before the last are named examples of the system.

    Source: OpenAI cookbook, "How to format inputs to ChatGPT models" (2023).
    """
    names = {"user": "example_user", "assistant": "example_assistant"}
    messages = turns.conversation.messages
    last = max((i for i, m in enumerate(messages) if m.role == "user"), default=0)
    if last < 2:
        return []
    examples = tuple(Message("system", m.content, names[m.role]) if m.role in names else m for m in messages[:last])
    conversation = replace(turns.conversation, messages=(*examples, *messages[last:]))
    return [replace(turns, conversation=conversation, messages=write(conversation), alternatives=(), confidence=0.2)]


def _lines_reading(prompt: str) -> Reading:
    """Return lines of ``left: right`` as pairs of turns."""
    messages: list[Message] = []
    sign = prompt.split()[-1][-1] if prompt.rstrip().endswith((":", "→")) else prompt.rstrip()[-2:]
    for line in prompt.split("\n"):
        left, _, right = line.partition(sign)
        if left.strip():
            messages.append(Message("user", left.strip()))
        if right.strip():
            messages.append(Message("assistant", right.strip()))
    conversation = Conversation(tuple(messages), cue="reply")
    return Reading(conversation, write(conversation), "few-shot", "ambiguous", (), (), 0.3)


def text_format(grammar: Grammar) -> Format:
    """Return the registry's entry of a grammar."""

    def read(value: Any) -> tuple[Conversation, tuple[Loss, ...]]:
        reading = read_text(value, grammar)
        return reading.conversation, reading.losses

    def write_it(conversation: Conversation) -> tuple[str, tuple[Loss, ...]]:
        writing = write_text(conversation, grammar, add_generation_prompt=conversation.cue != "continue")
        return writing.text, writing.losses

    def detect_it(value: Any) -> float:
        return detect(value, grammar) if isinstance(value, str) else 0.0

    return Format(grammar.name, "text", grammar.mapping, read, write_it, detect_it, grammar.aliases, grammar=grammar)
