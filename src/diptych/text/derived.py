"""The marks of any chat template, found by rendering it.

Rule: nothing of a family is known. Small conversations whose texts are distinct sentinels are
rendered; what stands between two sentinels is what the template writes between two such texts.
The pairs that were seen say how a text may go on (``Marks.after``), and so which conversations it
may be; whether it is one of them, only the template itself says: see ``derived_reading``. A pair
that is written without any mark (a system text put before a user's) is left out: it cannot be
read. Dates come from a clock that writes its format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import product
from typing import Any, Final

from ..errors import DiptychError
from ..model import ToolSpec
from ..sandbox.chat_template import ChatTemplate
from .tool_notations import tool_body

#: What a text is: the role of its message, or an assistant's ``reasoning`` before its content.
ROLES: Final = {"s": "system", "d": "developer", "u": "user", "a": "assistant", "t": "tool", "r": "reasoning"}
#: The conversations that are rendered, one letter per text; ``c`` is a message with a tool call.
PROBES: Final = (
    "u", "ua", "uau", "uaua", "uauau", "uu", "uaa", "us", "uas", "uasu", "uaus", "uasua", "su", "sua", "suau",
    "suaua", "suauau", "suu", "ssu", "a", "au", "sa", "sau", "s", "du", "dua", "sdu", "sdua", "ud", "uad", "uadu",
    "uct", "ucta", "uctau", "uctu", "uctt", "uctta", "uctct", "uactu", "suct", "sucta", "uctua", "uauct",
    "ura", "urau", "uraura", "suraura", "sura", "surau", "uraua", "urauraura", "rau", "sra",
)  # fmt: skip
#: Those for a template that is given tools: its prompts are long.
_WITH_TOOLS: Final = (
    "u",
    "ua",
    "uau",
    "su",
    "sua",
    "suau",
    "uct",
    "ucta",
    "uctau",
    "suct",
    "uctt",
    "suctt",
    "ura",
    "sura",
)
#: Fields in which templates look for reasoning.
REASONING: Final = ("reasoning_content", "reasoning", "thinking", "thought")
#: Names of variables that every server gives, or that are no switch.
_GIVEN: Final = frozenset({
    "messages", "tools", "documents", "add_generation_prompt", "continue_final_message", "strftime_now",
    "raise_exception", "namespace", "range", "dict", "loop", "true", "false", "none", "date_string",
})  # fmt: skip
_OPEN, _CLOSE, _DATE = "\ue100", "\ue101", "\ue102"
SENTINEL: Final = re.compile(f"{_OPEN}(\\d+){_CLOSE}")
#: A hole for what differs from call to call: its name, its id.
_ANY: Final = _DATE + _DATE
_ID: Final = "zqcall001"
_HOLE: Final = re.compile(f"{_DATE}([^{_DATE}]*){_DATE}")
_START, _END = "^", "$"
_ARGUMENT: Final = 900


class Clock(datetime):
    """A time that is written as its format, so that a date in a template is seen as one."""

    def strftime(self, format: str) -> str:
        """Return the format itself, marked."""
        return f"{_DATE}{format}{_DATE}"


CLOCK: Final = Clock(2001, 2, 3)


@dataclass(frozen=True)
class Marks:
    """What a template writes around texts, under one setting of its variables.

    ``after`` maps what a text is to the marks that may follow it, each with what comes next;
    ``ends`` holds the marks of the end, each with whether it asks for the reply. ``options`` are the
    variables of this setting, ``reasoning`` the field that holds reasoning.
    """

    after: Mapping[str, tuple[tuple[str, str], ...]]
    ends: Mapping[str, tuple[tuple[str, bool], ...]]
    options: Mapping[str, Any] = field(default_factory=dict)
    reasoning: str = ""

    def __hash__(self) -> int:
        return id(self)

    @property
    def literals(self) -> frozenset[str]:
        """Every mark there is."""
        pairs = [pair for table in (self.after, self.ends) for found in table.values() for pair in found]
        return frozenset(mark for mark, _ in pairs)


def sentinel(number: int) -> str:
    """Return a text that no template takes for anything."""
    return f"{_OPEN}{number}{_CLOSE}"


_CALL: Final = {"name": "zq_call", "arguments": {"zq_key": sentinel(_ARGUMENT)}}


def pattern(literal: str) -> str:
    """Return the pattern of a mark: a date in it may be any, and so may the name and the id of a call.

    >>> pattern("a.")
    'a\\\\.'
    """
    pieces = _HOLE.split(literal)
    return "".join("([^\\n]{1,40}?)" if i % 2 else re.escape(piece) for i, piece in enumerate(pieces))


def formats(literal: str) -> list[str]:
    """Return the formats of the dates in a mark."""
    return _HOLE.findall(literal)


def messages_of(slots: str, texts: Sequence[str], reasoning: str) -> list[dict[str, Any]]:
    """Return the messages of texts, one letter of ``slots`` each.

    >>> messages_of("ura", ["Hi", "Hm", "Yo"], "thinking")
    [{'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'thinking': 'Hm', 'content': 'Yo'}]
    """
    messages: list[dict[str, Any]] = []
    for slot, text in zip(slots, texts, strict=True):
        if slot == "r":
            messages.append({"role": "assistant", reasoning: text})
        elif slot == "a" and messages and reasoning in messages[-1]:
            messages[-1]["content"] = text
        else:
            messages.append({"role": ROLES[slot], "content": text})
    return messages


@lru_cache(maxsize=64)
def settings(template: ChatTemplate) -> tuple[dict[str, Any], ...]:
    """Return the settings of a template's own variables that change what it writes: none of them first."""
    names = sorted(template.variables - _GIVEN - template.special.keys())[:12]
    names = [name for name in names if not name.endswith("_token")]
    probes = ("u", "sura", "uraua")
    seen = {_outcome(template, probes, {})}
    found: list[dict[str, Any]] = [{}]
    for name, value in product(names, (True, False)):
        outcome = _outcome(template, probes, {name: value})
        if outcome not in seen:
            seen.add(outcome)
            found.append({name: value})
    return tuple(found)


def _outcome(template: ChatTemplate, probes: Sequence[str], options: dict[str, Any]) -> tuple[str | None, ...]:
    return tuple(
        render(template, messages_of(probe, [*map(sentinel, range(len(probe)))], field), options, asks=True)
        for probe in probes
        for field in REASONING[: 1 if "r" not in probe else None]
    )


def render(
    template: ChatTemplate, messages: list[dict[str, Any]], options: Mapping[str, Any], *, asks: bool
) -> str | None:
    """Return what a template makes of messages, None where it refuses them."""
    try:
        return template.render(messages, add_generation_prompt=asks, now=CLOCK, **options)
    except DiptychError:
        return None


@lru_cache(maxsize=128)
def _marks(template: ChatTemplate, setting: int) -> Marks:
    return _found(template, settings(template)[setting])


def _found(template: ChatTemplate, options: dict[str, Any]) -> Marks:
    after: dict[str, dict[tuple[str, str], None]] = {}
    ends: dict[str, dict[tuple[str, bool], None]] = {}
    field = reasoning_field(template, {name: value for name, value in options.items() if name != "tools"})
    for probe in _WITH_TOOLS if "tools" in options else PROBES:
        if "r" in probe and not field:
            continue
        for asks in (False, True):
            for was, literal, slot in _pieces(template, probe, options, field, asks):
                if slot == _END:
                    ends.setdefault(was, {})[literal, asks] = None
                else:
                    after.setdefault(was, {})[literal, slot] = None
    return Marks({k: _longest(v) for k, v in after.items()}, {k: _longest(v) for k, v in ends.items()}, options, field)


@lru_cache(maxsize=32)
def marks_with_tools(template: ChatTemplate, tools: tuple[ToolSpec, ...]) -> Marks:
    """Return the marks of a template that these tools are given to."""
    return _found(template, {"tools": [*map(tool_body, tools)]})


def marks_of(template: ChatTemplate) -> Iterator[Marks]:
    """Yield the marks of a template, under each setting of its variables; none of them set first.

    >>> found = next(marks_of(ChatTemplate("{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}")))
    >>> dict(found.after)["u"][0]
    ('[assistant]', 'a')
    """
    return (_marks(template, number) for number in range(len(settings(template))))


def _longest(found: Any) -> tuple[Any, ...]:
    return tuple(sorted(found, key=lambda pair: -len(pair[0])))


@lru_cache(maxsize=128)
def _field(template: ChatTemplate, options: tuple[tuple[str, Any], ...]) -> str:
    for name, probe in product(REASONING, ("ura", "urau")):
        messages = messages_of(probe, [*map(sentinel, range(len(probe)))], name)
        if sentinel(1) in (render(template, messages, dict(options), asks=False) or ""):
            return name
    return ""


def reasoning_field(template: ChatTemplate, options: Mapping[str, Any]) -> str:
    """Return the field whose text a template writes as reasoning; empty where it writes none."""
    return _field(template, tuple(options.items()))


def _pieces(
    template: ChatTemplate, probe: str, options: Mapping[str, Any], field: str, asks: bool
) -> Iterator[tuple[str, str, str]]:
    """Yield what stands between the texts of a probe: after what, which mark, before what."""
    texts = [*map(sentinel, range(len(probe)))]
    if "c" in probe:
        yield from _called(template, probe, options, asks, texts)
        return
    text = render(template, messages_of(probe, texts, field), options, asks=asks)
    if text is not None:
        yield from _between(text, probe)


def _between(text: str, probe: str) -> Iterator[tuple[str, str, str]]:
    last, position, seen = _START, 0, set()
    for one in SENTINEL.finditer(text):
        number = int(one[1])
        if number == _ARGUMENT:
            continue
        if number in seen or number >= len(probe):
            return  # a text that is written twice: what stands between is not what opens one
        seen.add(number)
        literal = text[position : one.start()]
        if literal.strip() or (last, probe[number]) in ((_START, "u"), (_START, "s")):
            yield last, literal, probe[number]
        last, position = probe[number], one.end()
    yield last, text[position:], _END


def _called(
    template: ChatTemplate, probe: str, options: Mapping[str, Any], asks: bool, texts: list[str]
) -> Iterator[tuple[str, str, str]]:
    """Yield the pieces of a probe with tool calls; a call is taken for the end of the assistant's text."""
    messages = messages_of(probe.replace("c", "a"), texts, "")
    for number, slot in enumerate(probe):
        if slot == "c":
            call = {"id": _ID, "type": "function", "function": _CALL}
            messages[number] |= {"tool_calls": [call]}
        elif slot == "t":
            messages[number] |= {"tool_call_id": _ID, "name": "zq_call"}
    text = render(template, messages, options, asks=asks)
    plain = render(template, messages_of("ua", texts[:2], ""), options, asks=False)
    if text is None or plain is None or texts[1] not in plain:
        return
    close = plain.rpartition(texts[1])[2].strip()
    for was, literal, slot in _between(text, probe.replace("c", "a")):
        if "zq_call" in literal and was == "a":
            after = literal.rpartition(sentinel(_ARGUMENT))[2]
            at = after.find(close) if close else -1
            literal = after[at:] if at >= 0 else after
        for one in (str(_CALL["name"]), _ID):
            literal = literal.replace(one, _ANY)
        if literal.strip() or (slot == _END and was != "a"):
            yield was, literal, slot
