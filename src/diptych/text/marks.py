"""Control tokens that a reading does not explain: find them, and say which and where.

A control token has a shape of its own: a word between ``<|`` and ``|>`` (in any spelling of
the bars), ``<start_of_…>``, ``[INST]`` and the like. A text that holds one which the format it
was read as does not know may be a chat in an unregistered format, so its reading is not
certain. Tags of HTML and XML, pipes of F# and Elm, arrays and placeholders are text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from .grammar import Grammar
from .registry import grammar_of, grammars

_ROLES: Final = "system|developer|user|human|assistant|ai|bot|chatbot|model|tool|function|observation"
#: What control tokens say the start or the end of; ``<EndOfService>`` is a tag of XML.
_SUBJECTS: Final = (
    f"turn|role|text|sentence|sequence|message|msg|utterance|dialog(?:ue)?|conversation|conv|chat|header|{_ROLES}|"
    "prompt|response|reply|instruction|query|think|thought|image|video|audio|context|document"
)
#: What a mark begins with.
_SIGNS: Final = "<[＜‹]〈"
#: Every mark begins with a sign: so the pattern is tried there alone, and not at every character.
_TOKEN: Final = re.compile(
    rf"[{re.escape(_SIGNS)}](?:"
    + "|".join([
        r"(?<=[<＜‹])[|｜│¦][\w/][\w▁./:+-]+[|｜│¦][>＞›]",  # <|im_start|>, <｜User｜>
        r"(?<=<)\|[A-Za-z_]{2,}>|(?<=<)[A-Za-z_]{3,}\|>",  # <|turn>, <turn|>
        rf"(?<=<)(?i:/?(?:start|begin|beginning|end)[_-]?of[_-]?(?:{_SUBJECTS})s?>)",
        r"(?<=<)(?i:im_\w+>|fim_\w+>|reserved_\d+>|extra_id_\d+>|special_\d+>|unused_?\d+>)",
        r"(?<=<)\w{1,20}:(?:bos|eos)>",
        r"(?<=<)(?i:(?P<short>bos|eos|eot|eom|eod|eoh|eoa|eop|sop|sep)>)",
        rf"(?<=<)(?<![^\n]<)(?i:(?P<speaker>{_ROLES})>:)",  # at a line's start
        r"(?<=<)role>(?:SYSTEM|HUMAN|USER|ASSISTANT|OBSERVATION)</role>",
        r"(?<=<)</?(?:SYS|SYSTEM|USER|HUMAN|ASSISTANT|INST)>>",
        r"(?<=\[)/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|CALL_ID|ARGS|MODEL_SETTINGS|gMASK|sMASK)\]",
        r"(?<=〈)\|\w+\|〉",
        r"(?<=\])~(?:!b\[|b\])|(?<=\[)e~\[",  # MiniMax
        rf"(?<=\[)(?i:\|(?P<array>{_ROLES}|end_?of_?turn)\|\])",  # elsewhere than at a line's start an array of F#
        r"(?<=<)(?<![\s\S]<)s>|(?<=<)/s>",
    ])
    + ")"
)  # fmt: skip


class Mark(NamedTuple):
    """A token-like mark of a text, and where it starts."""

    text: str
    start: int


def marks_of(text: str, *, is_chat: bool = False) -> list[Mark]:
    """Return everything in a text that has the shape of a control token; a chat may begin with ``<s>``.

    >>> marks_of("Hi<|eot|>, a <| b |> c, <b>x</b>")
    [Mark(text='<|eot|>', start=2)]
    """
    if not any(opening in text for opening in _SIGNS):
        return []
    found = list(_TOKEN.finditer(text))
    # What surrounds them says that they are tags: a closing one, or a pair that strikes out in HTML.
    names = {name for one in found if (name := one["short"] or one["speaker"])}
    tags = {name for name in names if f"</{name}>" in text}
    opened = text.count("<s>") - (is_chat and text.startswith("<s>"))
    struck = {"<s>", "</s>"} if opened == text.count("</s>") else set()
    return [
        Mark(one.group(), one.start())
        for one in found
        if (one["short"] or one["speaker"]) not in tags
        and one.group() not in struck
        and (not one["array"] or _begins_line(text, one.start()))
    ]


def _begins_line(text: str, start: int) -> bool:
    """Return whether nothing but blanks, or another mark in brackets, stands before a position of a line."""
    near = text[max(0, start - 80) : start]
    before = near.rpartition("\n")[2].rstrip(" \t")
    return before.endswith("|]") or (not before and ("\n" in near or start <= len(near)))


@lru_cache(maxsize=128)
def _own_of(name: str) -> frozenset[str]:
    return _own(grammar_of(name))


def _own(grammar: Grammar) -> frozenset[str]:
    """Return the control tokens that a grammar writes or reads."""
    turns = [*grammar.turns.values(), grammar.system_turn]
    written = [*grammar.markers, *grammar.stop, grammar.bos, grammar.cue]
    if thinking := grammar.thinking:
        written += [thinking.open, thinking.close, thinking.empty]
    written += [mark for turn in turns for mark in (turn.open, turn.close, *turn.also_closes)]
    return frozenset(grammar.markers) | {mark.text for text in written for mark in marks_of(text)}


@lru_cache(maxsize=128)
def _signs(own: frozenset[str]) -> tuple[re.Pattern[str], dict[str, int]]:
    """Return the pattern of a grammar's own control tokens, and how many signs each holds."""
    longest = sorted(own, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest)) or r"(?!)"), {m: sum(map(m.count, _SIGNS)) for m in own}


def _are_own(text: str, own: frozenset[str]) -> bool:
    """Return whether every sign that could begin a mark stands in a token of the grammar's own."""
    if not own:
        return not any(sign in text for sign in _SIGNS)
    pattern, signs = _signs(own)
    return sum(map(text.count, _SIGNS)) == sum(map(signs.__getitem__, pattern.findall(text)))


@lru_cache(maxsize=1)
def _registered() -> frozenset[str]:
    return frozenset().union(*map(_own_of, grammars()))


def unknown_marks(text: str, format: str | Grammar = "plain", known: Iterable[str] = ()) -> list[Mark]:
    """Return the marks of a text that a format does not know; ``known`` are further ones that are explained.

    >>> unknown_marks("<|im_start|>user<|im_sep|>", "chatml")
    [Mark(text='<|im_sep|>', start=16)]
    """
    own = _own_of(format) if isinstance(format, str) else _own(format)
    if _are_own(text, own):
        return []  # as in most texts: to look at each mark takes as long as all other reading
    explained = {mark.casefold() for mark in known}
    found = marks_of(text, is_chat=bool(own))
    return [m for m in found if m.text not in own and not any(m.text.casefold() in one for one in explained)]


def explains(format: str | Grammar, contents: Iterable[str]) -> bool:
    """Return whether a format knows every mark in the contents of a text: a quick look, before all else is looked at.

    >>> explains("chatml", ["a < b"]), explains("chatml", ["a<|eot|>"])
    (True, False)
    """
    found = held(contents)
    own = (_own_of(format) if isinstance(format, str) else _own(format)) if found else frozenset()
    return all(mark.text in own for mark in found)


def held(contents: Iterable[str]) -> list[Mark]:
    """Return the marks in the contents of a text; where they stand is not said.

    >>> [mark.text for mark in held(["a < b", "a<|eot|>"])]
    ['<|eot|>']
    """
    together = "\n".join(contents)
    if not any(opening in together for opening in _SIGNS):
        return []
    return marks_of(together)


def say(marks: Sequence[Mark], text: str) -> str:
    """Say which mark was found first, where, and what to do; empty for no marks.

    >>> say(marks_of("a\\n<|fnord|>"), "a\\n<|fnord|>").partition(":")[0]
    "unknown control token '<|fnord|>' at 2"
    """
    if not marks:
        return ""
    first, more = marks[0], f" (and {len(marks) - 1} more)" if len(marks) > 1 else ""
    what = "unexpected" if first.text in _registered() else "unknown"
    shown = first.text if len(first.text) <= 60 else f"{first.text[:59]}…"
    return (
        f"{what} control token {shown!r} at {place_of(text, first.start)}{more}: name the format of the text "
        "(plain: one message as it stands), or give the marks as hints"
    )


def place_of(text: str, position: int) -> str:
    """Return a position as ``line:column``, both from 1.

    >>> place_of("a\\nbc", 3)
    '2:2'
    """
    return f"{text.count(chr(10), 0, position) + 1}:{position - text.rfind(chr(10), 0, position)}"
