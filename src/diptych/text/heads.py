"""What the beginning of a long text says of a format, before the whole is cut.

The turns that stand wholly in the first characters are the same in the whole text. So where one of them ends as
the format ends none, the whole is ``broken`` for it; where a content holds a control token that the format does
not know, or outer white space, so does a content of the whole.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from . import marks
from .grammar import Grammar
from .parse import after_beginning
from .scan import Cutter, beginning_of, cutter_of, has_calls

#: How much of a text is looked at, in characters, and from which length on.
_WINDOW: Final = 4_096
_LONG: Final = 4 * _WINDOW


class Head(NamedTuple):
    """What the first turns show: a turn that ends otherwise, an unknown control token, outer white space."""

    is_broken: bool = False
    is_strange: bool = False
    is_loose: bool = False


_NOTHING: Final = Head()


def head_of(grammar: Grammar, text: str) -> Head:
    """Return what the beginning of a text says of a format; of a short text nothing.

    >>> from .registry import grammar_of
    >>> head_of(grammar_of("mistral-v1-tight"), "[INST] Hi[/INST] Yes</s>" * 5000).is_broken
    True
    """
    if grammar.reader is not None and len(text) > _LONG:
        return Head(is_strange=not marks.explains(grammar, [text[after_beginning(text) : _WINDOW]]))
    cutter = cutter_of(grammar) if len(text) > _LONG and not has_calls(grammar, text[:_WINDOW]) else None
    body = beginning_of(grammar, cutter, text[:_WINDOW]) if cutter else None
    if cutter is None or body is None:
        return _NOTHING
    turns = cutter.pattern.findall(body)[:-2]  # the last ones may go on
    texts = [content for _, content, *_ in turns]
    is_loose = any(content != content.strip() for content in texts)
    return Head(_is_broken(grammar, cutter, turns), not marks.explains(grammar, texts), is_loose)


def _is_broken(grammar: Grammar, cutter: Cutter, turns: list[tuple[str, ...]]) -> bool:
    """Return whether a turn ends as no turn of its role does; a template's lines may end the system's otherwise."""
    first = turns[1:] if turns and grammar.sheet and cutter.role_of.get(turns[0][0]) == "system" else turns
    return not cutter.allowed.issuperset((opened, close) for opened, _, close, _ in first)
