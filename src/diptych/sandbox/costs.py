"""What every filter and test of a template costs, charged before it runs: one line each.

Rule: a filter or test without a line here cannot be used; a test walks Jinja's registries and ours. A line says what
Python does with the subject: nothing that grows (``FREE``), one walk over characters or items, a sort. What a filter
makes is counted as memory of the render. The functions that replace Jinja's own ask for the size of what they make
by themselves (:mod:`~diptych.sandbox.filters`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, Final

from ..errors import ResourceLimit
from .limits import charge, charged, check_size, held, reserve, spend
from .measure import hashed, measure, searched, weighed
from .methods import check_markup, check_trim
from .operators import check_percent

Cost = Callable[..., None]


def free(*_: Any, **__: Any) -> None:
    """Cost nothing that grows with the subject."""


def characters(growth: int = 4, pace: int = 6) -> Cost:
    """Charge a walk over a text: a unit for ``2 ** pace`` characters, ``growth`` bytes of memory per character."""

    def cost(subject: Any, *_: Any, **__: Any) -> None:
        size = _printed(subject)
        if size > 256:
            spend(size >> pace)
            reserve(size * growth)

    return cost


def _printed(subject: Any) -> int:
    """Return the characters of a text, or at least how many a value has that Python makes a text of."""
    if isinstance(subject, str):
        return len(subject)
    found = measure(subject)
    check_size(found.characters + found.items)
    spend(found.items - 1)
    return found.characters + 2 * (found.items - 1)


def items(subject: Any, *_: Any, **__: Any) -> None:
    """Charge a walk over items; each step of a loop is charged where it is made."""
    if isinstance(subject, list | tuple | dict | str | range) and len(subject) > 256:
        spend(len(subject) >> 2)
        reserve(len(subject) * 16)


def sort(subject: Any, *_: Any, **__: Any) -> None:
    """Charge comparisons of all items, as a sort makes them, and a key per item."""
    found = measure(subject)
    rounds = max(1, found.items.bit_length())
    spend(found.items + (found.items * rounds >> 4) + (found.characters * rounds >> 10))
    reserve(found.items * 200 + found.characters * 4)


def distinct(subject: Any, *_: Any, **__: Any) -> None:
    """Charge a set of all items, beside what a sort costs."""
    sort(subject)
    hashed(subject)


def trimming(subject: Any, chars: Any = None, *_: Any, **__: Any) -> None:
    """Charge the search for each character of a text among those that are taken off."""
    _TEXT(subject)
    check_trim(subject, chars)


def wrapping(subject: Any, width: Any = 79, *_: Any, **__: Any) -> None:
    """Charge ``wordwrap``: a text per word, and a copy of the rest of a word for each line that it fills."""
    if not isinstance(subject, str):
        return
    size, width = len(subject), max(1, width) if isinstance(width, int) else 79
    spend(size >> 2)
    reserve(size * 40)
    longest = max((found.end() - found.start() for found in re.finditer(r"\S+", subject)), default=0)
    spend((longest // width) * longest >> 10)


def tags(subject: Any, *_: Any, **__: Any) -> None:
    """Charge ``striptags``, which copies the text once per tag."""
    reserve(_printed(subject) * 40)
    if isinstance(subject, str):
        check_markup(subject)


def both(left: Any, right: Any = None, *_: Any, **__: Any) -> None:
    """Charge a comparison of two values."""
    weighed(left)
    weighed(right)


def search(item: Any, container: Any = None, *_: Any, **__: Any) -> None:
    """Charge a search for an item."""
    weighed(item)
    searched(container)


def replacing(subject: Any, *_: Any, **__: Any) -> None:
    """Charge a search for a text, which is compared at every place in the worst case."""
    if isinstance(subject, str) and len(subject) > 256:
        spend(len(subject) >> 4)
        reserve(len(subject) * 4)


def tokens(subject: Any, *_: Any, **__: Any) -> None:
    """Charge counting tokens, the slowest walk over a text."""
    if isinstance(subject, str):
        spend(len(subject) >> 1)
        reserve(len(subject) * 40)


def remainder(subject: Any, num: Any = 2, *_: Any, **__: Any) -> None:
    """Ask before ``subject % number``, which makes a text where the subject is one."""
    check_percent(subject, num)


_TEXT: Final = characters()
#: Every filter, by name.
FILTER_COSTS: Final[Mapping[str, Cost]] = {
    **dict.fromkeys(
        ("abs", "attr", "count", "d", "default", "first", "last", "length", "int", "float", "round", "tojson"),
        free,
    ),
    **dict.fromkeys(
        ("capitalize", "center", "filesizeformat", "lower", "safe", "string", "truncate", "upper", "format"),
        _TEXT,
    ),
    "trim": trimming,
    **dict.fromkeys(("e", "escape", "forceescape"), characters(6)),
    "title": characters(96, 2),
    "urlencode": characters(24, 2),
    "indent": characters(72, 4),
    "wordcount": characters(4, 2),
    **dict.fromkeys(
        (
            "batch", "items", "join", "list", "map", "reject", "rejectattr", "reverse", "select", "selectattr", "slice",
            "sum",
        ),
        items,
    ),
    **dict.fromkeys(("dictsort", "groupby", "max", "min", "sort"), sort),
    "unique": distinct,
    "replace": replacing,
    "striptags": tags,
    "wordwrap": wrapping,
    # Diptych's own
    "bullets": items,
    "dedent": characters(72, 3),
    "fence": characters(40, 4),
    "truncate_tokens": tokens,
    "xml": characters(40, 4),
}  # fmt: skip
#: Every test, by name.
TEST_COSTS: Final[Mapping[str, Cost]] = {
    **dict.fromkeys(
        (
            "boolean", "callable", "defined", "escaped", "false", "filter", "float", "integer", "iterable", "mapping",
            "none", "number", "sameas", "sequence", "string", "test", "true", "undefined",
        ),
        free,
    ),
    **dict.fromkeys(("lower", "upper"), _TEXT),
    **dict.fromkeys(("divisibleby", "even", "odd"), remainder),
    **dict.fromkeys(
        (
            "==", "eq", "equalto", "!=", "ne", ">", "gt", "greaterthan", ">=", "ge", "<", "lt", "lessthan", "<=", "le",
        ),
        both,
    ),
    "in": search,
}  # fmt: skip


#: Where a filter that follows a path such as ``a.b`` in each item takes it, beside ``attribute=``.
_PATHS: Final = {
    "map": None, "join": 1, "sum": 0, "sort": 2, "unique": 1, "min": 1, "max": 1, "groupby": 0, "selectattr": 0,
    "rejectattr": 0,
}  # fmt: skip
_MOST_STEPS: Final = 100


def _check_path(position: int | None, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Refuse a path of very many steps, which would be followed in each item."""
    path = kwargs.get("attribute", args[position] if position is not None and len(args) > position else None)
    if isinstance(path, str) and path.count(".") + path.count(",") > _MOST_STEPS:
        raise ResourceLimit(f"an attribute of more than {_MOST_STEPS} steps")


def following(function: Callable[..., Any], position: int | None) -> Callable[..., Any]:
    """Return a filter that looks at its path, the argument at this position, before it runs."""
    first = 2 if getattr(function, "jinja_pass_arg", None) is not None else 1

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        _check_path(position, args[first:], kwargs)
        return function(*args, **kwargs)

    return call


def metered(function: Callable[..., Any], cost: Cost) -> Callable[..., Any]:
    """Return a filter or test that is charged before it runs; what it makes is counted as memory."""
    if cost is free and getattr(function, "__module__", "") != "diptych.sandbox.filters":
        return function
    first = 1 if getattr(function, "jinja_pass_arg", None) is not None else 0
    is_whole = cost in (sort, distinct)  # a lazy subject is made a list, whose items are known

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if is_whole and len(args) > first and isinstance(args[first], Iterator):
            args = (*args[:first], charged(args[first]), *args[first + 1 :])
        cost(*args[first:], **kwargs)
        return held(function(*args, **kwargs))

    return call


def meter(registry: dict[str, Any], costs: Mapping[str, Cost]) -> None:
    """Put the metered form of each filter or test in its place. Raises ResourceLimit for one without a cost."""
    for name, function in list(registry.items()):
        if name not in costs:
            raise ResourceLimit(f"{name!r} has no cost: it cannot run in a template")
        registry[name] = metered(function, costs[name])
        if costs is FILTER_COSTS and name in _PATHS:
            registry[name] = following(registry[name], _PATHS[name])


def metered_extra(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter of the caller's own: the clock is read after it, and what it makes is counted."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        result = held(function(*args, **kwargs))
        charge(1)
        return result

    return call
