"""Filters that replace Jinja's own: sizes are known before texts are made, and only plain data become text.

What a filter costs beside is charged by its line in :mod:`~diptych.sandbox.costs`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from jinja2 import filters, pass_environment, pass_eval_context
from jinja2.runtime import Undefined

from ..errors import ResourceLimit, TemplateError
from .limits import charge, charged, check_size, reserve, spend
from .measure import levels, measure
from .nesting import nested
from .operators import add, check_bits, check_percent
from .printing import MAX_INTEGER_BITS, text


def _center(value: Any, width: int = 80) -> str:
    check_size(width)
    return text(value).center(width)


def _indent(s: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    value = text(s)
    step = width if isinstance(width, int) else len(width)
    check_size(len(value) + _lines(value) * max(0, step))
    return filters.do_indent(value, width, first, blank)


def _lines(value: str) -> int:
    """Return the most lines that ``str.splitlines`` cuts a text into."""
    return 1 + sum(map(value.count, "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"))


@pass_eval_context
def _replace(_: Any, s: Any, old: Any, new: Any, count: int | None = None) -> str:
    value, old, new = text(s), text(old), text(new)
    check_size(len(value) + value.count(old) * len(new))
    return value.replace(old, new, -1 if count is None else count)


@pass_eval_context
def _join(eval_ctx: Any, value: Any, d: Any = "", attribute: str | int | None = None) -> str:
    items = charged(value)
    if attribute is not None:
        items = list(map(filters.make_attrgetter(eval_ctx.environment, attribute), items))
    texts, separator = [text(item) for item in items], text(d)
    check_size(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


@pass_environment
def _wordwrap(
    env: Any,
    s: Any,
    width: int = 79,
    break_long_words: bool = True,
    wrapstring: Any = None,
    break_on_hyphens: bool = True,
) -> str:
    value = text(s)
    breaks = 2 * len(value) // max(1, width) + _lines(value) + value.count(" ")
    check_size(len(value) + breaks * len(wrapstring or "\n"))
    return filters.do_wordwrap(env, value, width, break_long_words, wrapstring, break_on_hyphens)


def _format(value: Any, *args: Any, **kwargs: Any) -> str:
    template = text(value)
    check_percent(template, kwargs or args)
    return template % (kwargs or args)


def _slice(value: Any, slices: int, fill_with: Any = None) -> Any:
    charge(slices)
    return (nested(part) for part in filters.sync_do_slice(charged(value), slices, fill_with))


def _batch(value: Any, linecount: int, fill_with: Any = None) -> Any:
    if fill_with is not None:
        charge(linecount)
    return (nested(part) for part in filters.do_batch(charged(value), linecount, fill_with))


@pass_environment
def _groupby(
    env: Any, value: Any, attribute: str | int, default: Any = None, case_sensitive: bool = False
) -> list[Any]:
    return nested(filters.sync_do_groupby(env, charged(value), attribute, default, case_sensitive))


def tojson(
    value: Any,
    indent: int | str | None = None,
    ensure_ascii: bool = False,
    sort_keys: bool = False,
    separators: Any = None,
    html: bool = False,
) -> str:
    """Write a value as JSON that a person and a model read: no escapes for HTML or ASCII, keys in their order.

    ``html=True`` escapes ``<``, ``>``, ``&`` and ``'`` as Jinja's own filter does.
    """
    check_json(value, indent, separators)
    options = {
        "indent": None if indent is False else indent,
        "ensure_ascii": ensure_ascii,
        "sort_keys": sort_keys,
        "separators": tuple(separators) if separators is not None else None,
    }
    try:
        written = _with_decimals(value, options)
    except (TypeError, ValueError) as error:
        raise TemplateError(f"tojson: {error}", hint="pass text, numbers, lists and mappings") from None
    check_size(len(written))
    return _HTML.sub(lambda found: f"\\u{ord(found[0]):04x}", written) if html else written


def check_json(value: Any, indent: Any, separators: Any = None) -> None:
    """Ask before a value is written as JSON with that indentation and those separators."""
    found = measure(value)
    check_size(found.characters + found.items)
    step = len(indent) if isinstance(indent, str) else indent if isinstance(indent, int) else 0
    if step > 0:
        step *= levels(value)  # the most that a line begins with
    step += sum(len(one) for one in separators or () if isinstance(one, str))
    check_size(step * (found.items - 1))
    spend(found.items + (found.characters >> 6))
    reserve(6 * found.characters + found.items * (64 + max(0, step) * 2))


_HTML: Final = re.compile("[<>&']")
#: The options by which ``tojson`` writes what Jinja's own does (jinja2 3.1, ``htmlsafe_json_dumps`` and the policy
#: ``json.dumps_kwargs``).
JSON_OF_JINJA: Final = "html=true, ensure_ascii=true, sort_keys=true"


def _with_decimals(value: Any, options: dict[str, Any]) -> str:
    """Return JSON in which each ``Decimal`` has all of its digits, which ``json`` can write as a text only."""
    mark = "decimal"
    while True:
        numbers: list[str] = []

        def stand_in(found: Any, mark: str = mark, numbers: list[str] = numbers) -> str:
            if isinstance(found, Undefined):
                str(found)  # raises, and names it
            if not isinstance(found, Decimal) or not found.is_finite():
                raise TypeError(f"a {type(found).__name__} is not JSON")
            numbers.append(str(found))
            return f"{mark}:{len(numbers) - 1}"

        written = json.dumps(value, default=stand_in, allow_nan=False, **options)
        if not numbers:
            return written
        marked = re.compile(f'"{mark}:([0-9]+)"')
        if len(marked.findall(written)) == len(numbers):
            return marked.sub(lambda found, numbers=numbers: numbers[int(found[1])], written)  # type: ignore[misc]
        mark += "_"  # a text of the value looks like a mark


def _list(value: Any) -> list[Any]:
    items = charged(value)
    reserve(len(items) * 84)  # a text becomes its characters
    return list(items)


def _int(value: Any, default: int = 0, base: int = 10) -> int:
    if isinstance(value, str) and len(value) > MAX_INTEGER_BITS:
        raise ResourceLimit(f"a number of {len(value):,} digits is too large")
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() > MAX_INTEGER_BITS:
        raise ResourceLimit(f"a number of {value.adjusted():,} digits is too large")
    found = filters.do_int(value, default, base)
    if isinstance(found, int):
        check_bits(found.bit_length())
    return found


def _float(value: Any, default: float = 0.0) -> float:
    if isinstance(value, str) and len(value) > MAX_INTEGER_BITS:
        raise ResourceLimit(f"a number of {len(value):,} digits is too large")
    return filters.do_float(value, default)


def _round(value: Any, precision: int = 0, method: Any = "common") -> Any:
    if isinstance(precision, int) and abs(precision) > _MOST_PLACES:
        raise ResourceLimit(f"rounding to {precision:,} places is too much", hint=f"write at most {_MOST_PLACES}")
    return filters.do_round(value, precision, method)


#: A float has at most 308 digits before its point, and 1,074 behind it.
_MOST_PLACES: Final = 1_100


@pass_environment
def _sum(env: Any, iterable: Any, attribute: str | int | None = None, start: Any = 0) -> Any:
    items = charged(iterable)
    if attribute is not None:
        items = map(filters.make_attrgetter(env, attribute), items)
    if isinstance(start, str):
        return sum(items, start)  # raises, in Python's words
    for item in items:
        start = add(start, item)
    return start


def _wordcount(value: Any) -> int:
    return sum(1 for _ in _WORD.finditer(text(value)))


_WORD: Final = re.compile(r"\w+")


def _loud(name: str) -> Callable[..., Any]:
    """Return Jinja's filter ``name`` with its subject made text first."""
    plain = filters.FILTERS[name]

    def guarded(value: Any, *args: Any, **kwargs: Any) -> Any:
        return plain(text(value), *args, **kwargs)

    return guarded


def _subject(value: Any) -> Any:
    """Charge what a filter loops over; Jinja's own filters say what they make of none."""
    return value if value is None else charged(value)


def _charged_filter(name: str) -> Callable[..., Any]:
    """Return Jinja's filter ``name`` with its subject charged as one loop."""
    plain: Any = filters.FILTERS[name]

    if getattr(plain, "jinja_pass_arg", None) is None:

        def guarded(value: Any, *args: Any, **kwargs: Any) -> Any:
            return plain(_subject(value), *args, **kwargs)

        return guarded

    def guarded_with(context: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
        return plain(context, _subject(value), *args, **kwargs)

    guarded_with.jinja_pass_arg = plain.jinja_pass_arg  # type: ignore[attr-defined]
    return guarded_with


#: Filters that replace Jinja's own.
GUARDED_FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "center": _center,
    "indent": _indent,
    "replace": _replace,
    "join": _join,
    "wordwrap": _wordwrap,
    "format": _format,
    "slice": _slice,
    "batch": _batch,
    "groupby": _groupby,
    "list": _list,
    "tojson": tojson,
    "string": text,
    "int": _int,
    "float": _float,
    "round": _round,
    "sum": _sum,
    "wordcount": _wordcount,
    **{name: _loud(name) for name in ("upper", "lower", "capitalize", "title", "trim")},
    **{
        name: _charged_filter(name)
        for name in (
            "sort",
            "unique",
            "map",
            "select",
            "reject",
            "selectattr",
            "rejectattr",
            "max",
            "min",
            "reverse",
            "last",
            "dictsort",
        )
    },
}

#: Filters of Jinja that have no place in a prompt, and what to write in their place.
REMOVED_FILTERS: Final = {
    "random": "choose in your own code and pass the choice: a prompt is the same each time",
    "pprint": "write |tojson: a prompt shows no notation of Python",
    "xmlattr": "write the attributes out: a prompt is no HTML",
    "urlize": "write the link out: a prompt is no HTML",
}
