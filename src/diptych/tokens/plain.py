"""Messages that are nothing but a role and a text: their lines, and their sums for many requests.

Rule: equal to what :mod:`.messages` counts; only faster, since most messages are of this kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from ..catalogue.table import Family
from ..encodings.encoding import encoding
from .memo import ENTRIES, LONGEST, message_memo
from .rules import FAMILIES, FamilyRules
from .shapes import ROLES
from .tally import Item

#: Place, role and text of a message to its line.
PlainLine = Callable[[int, str, str], Item]

_PLAIN_ROLES: Final = ROLES - {"tool"}
#: The paths of so many messages are at hand.
_PLACES: Final = 64
#: Characters of a text that is looked up before it is counted.
_SHORT: Final = 160


class PlainLines(NamedTuple):
    """The line of a plain message: ``remembered``, or ``fresh``.

    A conversation that grows keeps its messages in their places, so their lines are at hand. The last
    message of a request is new as a rule: what is remembered of it would only push others out.
    """

    remembered: PlainLine
    fresh: PlainLine


@lru_cache(maxsize=32)
def plain_lines(encoding_name: str, family: Family) -> PlainLines:
    """Return the functions that give the line of a plain message."""
    rules, roles = FAMILIES[family], message_memo(encoding_name)
    encode, new = encoding(encoding_name).encode_ordinary, tuple.__new__

    def border(role: str) -> int:
        if rules.content_only:
            return 0
        return rules.message + roles(role) + (rules.past_assistant if role == "assistant" else 0)

    borders = {role: border(role) for role in ROLES}
    places = [f"$.messages[{index}]" for index in range(_PLACES)]

    def plain(index: int, role: str, content: str) -> Item:
        tokens = len(encode(content))  # never longer than LONGEST: no run that needs care
        if role in borders:  # made without the arguments' names, which take as long as a short text
            place = places[index] if index < _PLACES else f"$.messages[{index}]"
            return new(Item, (place, "message", tokens + borders[role], "exact", None, None))
        return plain_line(f"$.messages[{index}]", role, tokens + border(role))

    return PlainLines(lru_cache(maxsize=ENTRIES)(plain), plain)


class PlainSums(NamedTuple):
    """What messages that are nothing but a role and a text add up to, before any family's rules.

    >>> plain_sums([{"role": "user", "content": "Hi"}], "o200k_base")
    PlainSums(texts=2, messages=1, assistants=0)
    """

    texts: int
    messages: int
    assistants: int

    def total(self, rules: FamilyRules) -> int:
        """Return the tokens of a request with these messages alone."""
        if rules.content_only:
            raise ValueError("a family that bills contents alone has other sums")
        return self.texts + self.messages * rules.message + self.assistants * rules.past_assistant + rules.priming


def plain_sums(messages: Sequence[Any], encoding_name: str) -> PlainSums | None:
    """Return the sums of plain messages, None where one is more than a role and a text."""
    remembered, encode = message_memo(encoding_name), encoding(encoding_name).encode_ordinary
    texts = assistants = 0
    for message in messages:
        if type(message) is not dict or len(message) != 2:
            return None
        role, content = message.get("role"), message.get("content")
        if role not in _PLAIN_ROLES or type(content) is not str or len(content) > LONGEST:
            return None
        # A short text may well be a system message that every request repeats.
        texts += remembered(role) + (len(encode(content)) if len(content) > _SHORT else remembered(content))
        assistants += role == "assistant"
    return PlainSums(texts, len(messages), assistants)


def plain_line(path: str, role: str, tokens: int) -> Item:
    """Return the line of a message; no recording shows what a role of another name costs."""
    if role in ROLES:
        return Item(path, "message", tokens)
    return Item(path, "message", tokens, "approximate", max(0, tokens - 4), tokens + 4)
