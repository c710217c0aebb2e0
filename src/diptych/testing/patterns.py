"""A text that a regular expression matches, made from the expression's own syntax tree.

Rule: the shortest repeat of everything, and of every set its first character; a longer text comes from
repeating more. What a tree alone cannot fulfil (looking around, references) is not attempted: the caller
checks the text.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

#: The parser of ``re``: the one reader of patterns that agrees with what checks them.
_PARSER: Final[Any] = importlib.import_module("re._parser")
#: A character of each class, and the classes that are anything but.
_CLASSES: Final = {
    "CATEGORY_DIGIT": "0",
    "CATEGORY_WORD": "a",
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_DIGIT": "a",
    "CATEGORY_NOT_WORD": "-",
    "CATEGORY_NOT_SPACE": "a",
}
#: Characters that are tried where a set says what it does not take.
_OTHERS: Final = "a0-_ A.\u00e9\n"
#: The most repeats that are tried.
_MOST: Final = 64


def matching(pattern: str, least: int = 0, most: int | None = None) -> str | None:
    """Return a text of ``least`` to ``most`` characters in which a pattern is found; None where none is.

    >>> matching("^[A-Z]{2}-[0-9]+$", 6), matching("a|b"), matching("(")
    ('AA-000', 'a', None)
    """
    try:
        compiled, tree = re.compile(pattern), _PARSER.parse(pattern)
    except (re.error, RecursionError, OverflowError):
        return None
    for more in range(_MOST):
        text = "".join(_text(tree, more))
        if len(text) < least and not pattern.endswith("$"):
            text += "a" * (least - len(text))
        if len(text) >= least and (most is None or len(text) <= most) and compiled.search(text):
            return text
    return None


def _text(tree: Iterable[Any], more: int) -> Iterator[str]:
    """Yield the pieces of a text; ``more`` is how often what may repeat does so beyond its least."""
    for kind, value in tree:
        name = str(kind)
        if name == "LITERAL":
            yield chr(value)
        elif name in ("NOT_LITERAL", "ANY", "IN"):
            yield _one_of(name, value)
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            low, high, inner = value
            yield from list(_text(inner, more)) * min(low + more, int(high))
        elif name in ("SUBPATTERN", "ATOMIC_GROUP"):
            yield from _text(value[-1] if name == "SUBPATTERN" else value, more)
        elif name == "BRANCH":
            yield from _text(value[1][0], more)


def _one_of(name: str, value: Any) -> str:
    if name == "ANY":
        return "a"
    if name == "NOT_LITERAL":
        return next(c for c in _OTHERS if ord(c) != value)
    (first, found), *_ = value
    if str(first) == "NEGATE":
        return next((c for c in _OTHERS if not any(_is_in(c, one) for one in value[1:])), "a")
    if str(first) == "CATEGORY":
        return _CLASSES[str(found)]
    return chr(found[0] if str(first) == "RANGE" else found)


def _is_in(char: str, entry: Any) -> bool:
    kind, value = str(entry[0]), entry[1]
    if kind == "RANGE":
        return bool(value[0] <= ord(char) <= value[1])
    if kind == "LITERAL":
        return bool(ord(char) == value)
    word, is_not = char.isalnum() or char == "_", "_NOT_" in str(value)
    found = {"DIGIT": char.isdigit(), "WORD": word, "SPACE": char.isspace()}[str(value).rpartition("_")[2]]
    return found is not is_not
