"""Print values: plain data only, and no larger than the caps allow.

Rule: whatever turns a value into text refuses what is not plain data, so that no Python object shows, and knows the
size of the text before it is made.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from jinja2.runtime import Undefined

from ..errors import ResourceLimit, TemplateError
from .limits import check_size, current_limits, held, reserve, spend
from .measure import measure

_SCALARS: Final = (str, int, float, bool, type(None), Decimal)
#: An integer of more bits than this is not text any more: Python itself refuses
#: to print one of more than 4,300 digits (about 14,300 bits).
MAX_INTEGER_BITS: Final = 14_000
#: Characters that Python's notation may need for one character of a text.
_NOTATION: Final = 10


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
    check_text(value)
    shown = str(value)
    if "Decimal('" in shown:
        shown = str(_readable(value))
    check_size(len(shown))
    return held(shown)


class _Number(Decimal):
    """A ``Decimal`` that prints inside of a list as it prints alone."""

    __repr__ = Decimal.__str__


def _readable(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _Number(value)
    if isinstance(value, dict):
        return {_readable(key): _readable(item) for key, item in value.items()}
    return type(value)(map(_readable, value)) if type(value) in (list, tuple, set, frozenset) else value


def check_text(value: Any) -> int:
    """Ask before Python makes a text of a value; return at least how many characters it has.

    Raises TemplateError for what is not plain data.
    """
    least = len(value) if isinstance(value, str) else 0
    if not isinstance(value, _SCALARS):
        least = check_notation(value)
    check_printable(value)
    return least


def check_notation(value: Any) -> int:
    """Ask before Python writes a value in its own notation; return at least how many characters that has."""
    found = measure(value)
    least = found.characters + found.items
    check_size(least)
    spend(found.items)  # Python makes a text of each
    reserve(_NOTATION * found.characters)
    return least


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
    size = sum(map(len, texts))
    check_size(size)
    spend(size >> 10)
    return held("".join(texts))


def printed(value: Any) -> str:
    """Return the text of a printed value as Jinja makes it, objects of Python included, within the caps."""
    if type(value) is str:
        return value
    if isinstance(value, str):
        return str(value)
    if not isinstance(value, _SCALARS):
        check_notation(value)
    elif isinstance(value, int):
        check_printable(value)
    return held(str(value))
