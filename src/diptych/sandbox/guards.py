"""Guarded operators, methods and filters: the size is known before the value is.

Rule: whatever can make a small text or list into a large one asks
:func:`~diptych.sandbox.limits.check_size` first, and whatever turns a value into
text refuses values that are not plain data, so that no Python object shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from jinja2 import filters, pass_environment, pass_eval_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Undefined
from jinja2.sandbox import SandboxedFormatter

from ..errors import ResourceLimit, TemplateError
from .limits import charge, charged, check_size, current_limits
from .nesting import nested

_SCALARS: Final = (str, int, float, bool, type(None), Decimal)
_TEXT: Final = frozenset({str})
#: An integer of more bits than this is not text any more: Python itself refuses
#: to print one of more than 4,300 digits (about 14,300 bits).
MAX_INTEGER_BITS: Final = 14_000


class Helper:
    """A global function that shows its name and nothing of Python when printed."""

    __slots__ = ("_call", "_name")

    def __init__(self, name: str, call: Callable[..., Any]) -> None:
        self._name = name
        self._call = call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(*args, **kwargs)

    def __repr__(self) -> str:
        return f"{self._name}()"

    __str__ = __repr__


def text(value: Any) -> str:
    """Return the text of a plain value as Jinja prints it; a ``str`` stays as it is.

    Raises TemplateError for functions, classes, modules and other objects.
    """
    if isinstance(value, str):
        return value.__str__()  # Undefined is no str, and a traced text returns itself
    check_printable(value)
    shown = str(value)
    if "Decimal('" in shown:
        shown = str(_readable(value))
    check_size(len(shown))
    return shown


class _Number(Decimal):
    """A ``Decimal`` that prints inside of a list as it prints alone."""

    __repr__ = Decimal.__str__


def _readable(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _Number(value)
    if isinstance(value, dict):
        return {_readable(key): _readable(item) for key, item in value.items()}
    return type(value)(map(_readable, value)) if type(value) in (list, tuple, set, frozenset) else value


def check_printable(value: Any, depth: int = 0) -> None:
    """Refuse a value that is not plain data through and through."""
    if isinstance(value, _SCALARS):
        if isinstance(value, int) and value.bit_length() > MAX_INTEGER_BITS:
            raise ResourceLimit("an integer of more than about 4,200 digits cannot be printed", hint="pass it as text")
        return
    if isinstance(value, Undefined):
        str(value)  # a strict Undefined raises here, with its own message
        return
    if depth > current_limits().depth:
        raise ResourceLimit("a value is nested too deeply to print")
    if isinstance(value, dict):
        items: Any = [*value.keys(), *value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        items = value
    else:
        raise TemplateError(
            f"a {type(value).__name__} cannot be printed",
            hint="print a string, number, list or mapping; end a lazy filter with |list or |join",
        )
    for item in items:
        check_printable(item, depth + 1)


def join_text(*parts: Any) -> str:
    """Join the operands of ``~``."""
    texts = [text(part) for part in parts]
    check_size(sum(map(len, texts)))
    return "".join(texts)


# operators ---------------------------------------------------------------------------


def check_multiply(left: Any, right: Any) -> None:
    """Ask before ``left * right``."""
    for sequence, times in ((left, right), (right, left)):
        if isinstance(sequence, str | list | tuple) and isinstance(times, int):
            check_size(len(sequence) * max(0, times))
    if isinstance(left, int) and isinstance(right, int):
        _check_bits(left.bit_length() + right.bit_length())


def check_power(left: Any, right: Any) -> None:
    """Ask before ``left ** right``."""
    if isinstance(left, int) and isinstance(right, int):
        _check_bits(left.bit_length() * abs(right))


def check_add(left: Any, right: Any) -> None:
    """Ask before ``left + right``."""
    if isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
        check_size(len(left) + len(right))


def add(*operands: Any) -> Any:
    """Add the operands of ``a + b + c``, from left to right."""
    if _TEXT.issuperset(map(type, operands)):
        size = sum(map(len, operands))
        if size > current_limits().output:
            check_size(size)
        return "".join(operands)
    total, *rest = operands
    for operand in rest:
        check_add(total, operand)
        total = total + operand
    return total


def check_percent(left: Any, right: Any) -> None:
    """Ask before ``left % right`` where left is a format string."""
    if not isinstance(left, str):
        return
    values = right.values() if isinstance(right, dict) else right if isinstance(right, tuple) else (right,)
    for value in values:
        check_printable(value)
    _check_widths(left, "%")
    if "*" in left:
        check_size(sum(abs(v) for v in values if isinstance(v, int)))
    check_size(len(left) + sum(len(str(v)) for v in values) * max(1, left.count("%")))


#: What is asked before an operator; ``+`` is :func:`add` from the start.
OPERATOR_CHECKS: Final[dict[str, Callable[[Any, Any], None]]] = {
    "*": check_multiply,
    "**": check_power,
    "%": check_percent,
}


def _check_bits(bits: int) -> None:
    if bits > MAX_INTEGER_BITS:
        raise ResourceLimit(f"an integer of about {bits:,} bits is too large")


def _check_widths(spec: str, what: str) -> None:
    """Refuse a width or precision in a format specification that is over the cap."""
    total = 0
    for digits in re.findall(r"[0-9]+", spec):
        if len(digits) > 9:
            raise ResourceLimit(f"a width in a {what} format is too large")
        total += int(digits)
    check_size(total)


class GuardedFormatter(SandboxedFormatter):
    """``str.format`` in the sandbox: widths are checked, only plain data is shown."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        _check_widths(format_spec, "{}")
        check_printable(value)
        return super().format_field(value, format_spec)

    def convert_field(self, value: Any, conversion: Any) -> Any:
        check_printable(value)
        return super().convert_field(value, conversion)


# methods of str ----------------------------------------------------------------------


def check_method(function: Any, args: tuple[Any, ...]) -> None:
    """Ask before a method of a text is called with these arguments."""
    owner = getattr(function, "__self__", None)
    if not isinstance(owner, str):
        return
    check = _METHOD_CHECKS.get(getattr(function, "__name__", ""))
    if check is not None and args:
        check(owner, args)


def _check_width(_: str, args: tuple[Any, ...]) -> None:
    if isinstance(args[0], int):
        check_size(args[0])


def _check_replace(owner: str, args: tuple[Any, ...]) -> None:
    if len(args) > 1 and isinstance(args[0], str) and isinstance(args[1], str):
        check_size(len(owner) + owner.count(args[0]) * len(args[1]))


def _check_tabs(owner: str, args: tuple[Any, ...]) -> None:
    if isinstance(args[0], int):
        check_size(len(owner) + owner.count("\t") * max(0, args[0]))


def _check_translate(owner: str, args: tuple[Any, ...]) -> None:
    if isinstance(args[0], dict):
        longest = max((len(v) for v in args[0].values() if isinstance(v, str)), default=1)
        check_size(len(owner) * max(1, longest))


def _check_join(owner: str, args: tuple[Any, ...]) -> None:
    if isinstance(args[0], list | tuple | dict | set):
        check_size(sum(len(x) + len(owner) for x in args[0] if isinstance(x, str)))
    elif isinstance(args[0], str):
        check_size(len(args[0]) * (len(owner) + 1))
    else:
        raise TemplateError("str.join takes a list here", hint="write items|join(separator)")


_METHOD_CHECKS: Final[dict[str, Callable[[str, tuple[Any, ...]], None]]] = {
    "center": _check_width,
    "ljust": _check_width,
    "rjust": _check_width,
    "zfill": _check_width,
    "expandtabs": _check_tabs,
    "replace": _check_replace,
    "translate": _check_translate,
    "join": _check_join,
}


# filters -----------------------------------------------------------------------------


def _center(value: Any, width: int = 80) -> str:
    check_size(width)
    return text(value).center(width)


def _indent(s: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    value = text(s)
    step = width if isinstance(width, int) else len(width)
    check_size(len(value) + (value.count("\n") + 1) * max(0, step))
    return filters.do_indent(value, width, first, blank)


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
    breaks = len(value) // max(1, width) + value.count("\n") + value.count(" ") + 1
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
    if isinstance(indent, int):
        check_size(indent)
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
    return list(charged(value))


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
    **{name: _loud(name) for name in ("upper", "lower", "capitalize", "title", "trim")},
    **{
        name: _charged_filter(name)
        for name in (
            "sort",
            "unique",
            "sum",
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


def refuse_unsafe(value: Any) -> None:
    """Raise SecurityError for a callable that templates may not call."""
    if isinstance(value, type) and value not in (dict, range):
        raise SecurityError("a class cannot be called from a template")
