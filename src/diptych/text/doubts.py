"""Why a reading is not certain: control tokens that it does not explain, hints that name nothing.

A doubt makes a reading ``ambiguous``, never silently certain; its ``detail`` says what was seen,
where it stands, and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final, cast

from ..format import Reading
from ..model import Conversation, Message
from ..projection import write
from . import labels, marks
from .grammar import Grammar
from .names import LABELLED
from .parse import BEGINNINGS, after_beginning
from .registry import grammars

LABELS: Final = "speaker labels are text like any other: the prompt could also be one message"
OWN_MARK: Final = "a content holds control tokens of the format itself: the turns could also end elsewhere"
STRANGE_START: Final = "the text before the first turn holds control tokens of its own: name its format"
_TAGS: Final = re.compile(r"\s*(?:</?think>\s*)+")
#: Lines that models' own templates write around a system text.
_SHEET: Final = re.compile(
    r"(?im)^(?:(?:cutting )?knowledge cut-?off(?: date)?:|reasoning(?: mode| strength)?: |# tools\n"
    r"|# (?:system|default|safety) preamble|# valid (?:channels|recipients):)"
    r"|(?i:\b(?:available|provided) functions\b)|<functions></functions>|<tools>"
    r"|\[END FINAL RESPONSE\]"
)
#: What a template puts behind a user's text, and before a reply that was not thought about.
_NOTE: Final = re.compile(r"\{reasoning effort: \w+\}\s*\Z")
#: A speaker who stands alone, in the last paragraph or in capitals inside one: some templates write no more of a chat.
_ALONE: Final = re.compile(
    r"\A(?:#{2,3} )?(?:User|Human|Assistant):|\n\n(?:User|Human):(?:[^\n]|\n(?!\n))*+\s*\Z"
    r"|(?<![\w\"'`<#/])(?:USER|HUMAN): ?\S",
    re.MULTILINE,
)
_LOUD: Final = re.compile(r"(?<![\w\"'`<#/])(?:USER|HUMAN): ?\S")
#: The end of a text that rather opens somebody's turn: an empty label, or a tag.
_OPENS: Final = re.compile(r"(?:^|\n)[^\n]{0,200}?\w:[ \t]*\n?\Z|<(?:system|user|assistant|human|role)>\s*\Z")
#: An empty label of a speaker, as a prompt without special tokens ends.
_ASKS: Final = re.compile(r"(?i)(?:^|[\n ])(?:assistant|chatbot|ai|bot|falcon|model|user|human): ?\n?\Z")
SPEAKERS: Final = "speakers are named in words beside the control tokens, which could be of a message: name its format"
BREAKS: Final = "a message begins with a carriage return: the text has line breaks of two kinds"
UNANSWERED: Final = "calls stand in a reply that no result follows: they could be its text"
SHEET: Final = "the system message holds what a model's own template writes there: give its template, or its format"
THOUGHT: Final = "a reply begins with tags around no reasoning, which its template writes: name its format"


def whole(prompt: str, confidence: float) -> Reading:
    """Return the reading of a prompt as one user message."""
    conversation = Conversation((Message("user", prompt),))
    return Reading(conversation, write(conversation), "plain", confidence=confidence)


def reasons(reading: Reading, masked: str, asked: Grammar | None, hints: Mapping[str, Any] | None) -> list[str]:
    """Return the reasons to doubt a reading; ``asked`` is the grammar that was asked for, None for any."""
    wanted = labels.read_hints(hints) if hints else {}
    unused = _unused(masked, asked, wanted) if wanted else []
    own = [*_of_template(reading), *_of_contents(reading, is_named=asked is not None)]
    return [*_unexplained(reading, masked, asked, wanted), *unused, *own]


def _of_contents(reading: Reading, *, is_named: bool) -> list[str]:
    """Return why marks in a text may be of its contents, or contents of its frame; who names the format knows more."""
    messages = reading.conversation.messages
    if reading.format == "plain" or not messages:
        return []
    has_words = messages[0].role == "system" and len(messages) > 1 and _opens_turn(reading)
    has_words = has_words or _ASKS.search(messages[-1].text[-40:]) is not None
    has_words = has_words or (len(messages) < 3 and any(_LOUD.search(message.text) for message in messages))
    texts = [message.plain_text for message in messages]  # None for a message that holds more than a text
    is_broken = any(text is not None and text.startswith("\r") for text in texts)
    is_unanswered = None in texts and any(
        one.tool_calls and two.role not in ("tool", "assistant") for one, two in pairwise(messages)
    )
    found = ((has_words and not is_named, SPEAKERS), (is_broken, BREAKS), (is_unanswered, UNANSWERED))
    return [why for is_so, why in found if is_so]


def _opens_turn(reading: Reading) -> bool:
    """Return whether a system text that stands before the first mark ends as another turn begins."""
    grammar = grammars().get(reading.format)
    first = reading.conversation.messages[0].text
    if grammar is None or grammar.system != "prefix":
        return False
    return _OPENS.search(first[-240:]) is not None or _ALONE.search(first) is not None


def _of_template(reading: Reading) -> list[str]:
    """Return what in the messages is rather of the model's own template than of whoever wrote them."""
    messages = reading.conversation.messages
    if reading.format == "plain" or not messages:
        text = messages[0].text.replace("\r\n", "\n") if messages and reading.verdict == "lossless" else ""
        return [LABELS] if _ALONE.search(text) else []
    last = messages[-1]
    systems = (message.text for message in messages if message.role in ("system", "developer"))
    has_sheet = any(map(_SHEET.search, systems)) or _NOTE.search(last.text) is not None
    replies = [message.text for message in messages if message.role == "assistant"]
    is_thought = last.role == "assistant" and _TAGS.fullmatch(last.text) is not None
    is_thought = is_thought or any(text.startswith("<think></think>") for text in replies)
    return [*([SHEET] if has_sheet else []), *([THOUGHT] if is_thought else [])]


def _unexplained(reading: Reading, masked: str, asked: Grammar | None, wanted: Mapping[str, str]) -> list[str]:
    if asked is not None and asked.plain:
        return []  # who names it has said that the text has no structure
    own = asked if asked is not None and asked.name == reading.format else reading.format
    if reading.verdict == "lossless" and not reading.losses and not wanted and reading.format != "plain":
        # What stands outside of the contents is the format's own.
        if marks.explains(own, _contents(reading.conversation.messages)):
            return []
    found = marks.unknown_marks(masked, own, wanted)
    if found and reading.format != "plain" and masked.startswith(BEGINNINGS):
        found = [mark for mark in found if mark.start >= after_beginning(masked)]  # the losses say what they are
    return [marks.say(found, masked)] if found else []


def _contents(messages: Sequence[Message]) -> list[str]:
    """Return the texts of messages, reasoning included."""
    texts = [message.plain_text for message in messages]  # most messages are no more than a text
    if None not in texts:
        return cast("list[str]", texts)
    return [content for message in messages for content in (message.text, message.reasoning or "")]


def _unused(masked: str, asked: Grammar | None, wanted: Mapping[str, str]) -> list[str]:
    if asked is not None and asked.name not in LABELLED:
        return [f"the hints {_listed(wanted)} are not used: {asked.name} has no speaker labels; leave the format out"]
    missing = labels.unmatched_hints(masked, wanted)
    if not missing:
        return []
    what = f"the hint {_listed(missing)} opens" if len(missing) == 1 else f"the hints {_listed(missing)} open"
    return [f"{what} no turn of the text: give labels as they stand there, with their signs"]


def _listed(names: Sequence[str] | Mapping[str, str]) -> str:
    return ", ".join(map(repr, names))


def questioned(reading: Reading, prompt: str, why: Sequence[str]) -> Reading:
    """Return a reading as ambiguous where there are reasons; one of several messages could also be one."""
    if not why:
        return reading
    others = reading.alternatives
    if not others and reading.format != "plain":
        others = (whole(prompt, round(1 - reading.confidence, 2)),)
    detail = "; ".join(filter(None, [*why, reading.detail]))
    return replace(reading, verdict="ambiguous", alternatives=others, detail=detail)
