"""Guarded methods of texts and other plain values: what a call may cost is charged before it is made."""

from __future__ import annotations

from collections.abc import Callable
from sys import getsizeof
from typing import Any, Final, TypeVar

from jinja2.exceptions import SecurityError

from ..errors import TemplateError
from .limits import check_size, made, reserve, spend
from .measure import measure

T = TypeVar("T")


def check_method(function: Any, args: tuple[Any, ...]) -> None:
    """Ask before a method of plain data is called with these arguments, those that are named among them."""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, str):
        name = getattr(function, "__name__", "")
        _charge_text(owner, name, args)
        if name in ("striptags", "unescape", "escape"):  # those of Jinja's Markup
            check_markup(owner)
        check = _METHOD_CHECKS.get(name)
        if name == "expandtabs":
            args = args or (8,)
        if check is not None and args:
            check(owner, args)
    elif isinstance(owner, list | tuple | dict | range | set | frozenset) or args:
        spend(measure(owner).work + sum(measure(arg).work for arg in args))


def _charge_text(owner: str, name: str, args: tuple[Any, ...]) -> None:
    """Charge a method of a text as a walk through it, and those that cut it up for all of their pieces."""
    given = sum(measure(arg).characters for arg in args)
    spend((len(owner) + given) >> 6)
    if name in _FROM_THE_END:
        spend(len(owner) * given >> 10)  # the worst text is compared as a whole at every place
    if name in ("split", "rsplit", "splitlines"):
        reserve(_PIECE * _pieces(owner, name, args))
    else:
        reserve(_MOST_GROWTH.get(name, 1) * getsizeof(owner))


#: Python searches a text from its end without any preparation.
_FROM_THE_END: Final = ("rfind", "rindex", "rpartition", "rsplit")
#: Bytes of a short text in a list.
_PIECE: Final = 64


def cut(function: Any, result: T) -> T:
    """Count the pieces that a method of a text has cut it into, which may outlive their list, and return them."""
    if isinstance(result, list) and isinstance(getattr(function, "__self__", None), str):
        made(None, _PIECE * len(result))
    return result


#: How much longer a text may become under a method that has no other check.
_MOST_GROWTH: Final = {"upper": 3, "title": 3, "capitalize": 3, "swapcase": 3, "casefold": 3}


def _pieces(owner: str, name: str, args: tuple[Any, ...]) -> int:
    """Return the most pieces that a text is cut into."""
    separator = args[0] if args and name != "splitlines" else None
    if isinstance(separator, str) and separator:
        return owner.count(separator) + 1
    most = len(owner) // (1 if name == "splitlines" else 2) + 1
    if most < 100_000:
        return most
    return min(most, sum(map(owner.count, _SPACES)) + 1)


#: What ``str.split`` and ``str.splitlines`` cut at.
_SPACES: Final = "".join(filter(str.isspace, map(chr, range(0x3001))))


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
    table = args[0]
    if not isinstance(table, dict | list | tuple | str):
        raise TemplateError("str.translate takes a mapping or a list here")
    values = table.values() if isinstance(table, dict) else table
    longest = max((len(v) for v in values if isinstance(v, str)), default=1)
    check_size(len(owner) * max(1, longest))


def check_trim(text: Any, characters: Any) -> None:
    """Ask before characters are taken off both ends of a text: each is looked for among them."""
    if isinstance(text, str) and isinstance(characters, str):
        spend(len(text) * len(characters) >> 10)


def _check_strip(owner: str, args: tuple[Any, ...]) -> None:
    check_trim(owner, args[0])


def check_markup(text: str) -> None:
    """Ask before tags are taken out of a text, which is copied once for each of them."""
    spend((text.count("<") * len(text) >> 12) + (len(text) >> 4))


def _check_join(owner: str, args: tuple[Any, ...]) -> None:
    if isinstance(args[0], list | tuple | dict | set):
        spend(len(args[0]))
        check_size(sum(len(x) + len(owner) for x in args[0] if isinstance(x, str)))
    elif isinstance(args[0], str):
        check_size(len(args[0]) * (len(owner) + 1))
    else:
        raise TemplateError("str.join takes a list here", hint="write items|join(separator)")


_METHOD_CHECKS: Final[dict[str, Callable[[str, tuple[Any, ...]], None]]] = {
    "strip": _check_strip,
    "lstrip": _check_strip,
    "rstrip": _check_strip,
    "center": _check_width,
    "ljust": _check_width,
    "rjust": _check_width,
    "zfill": _check_width,
    "expandtabs": _check_tabs,
    "replace": _check_replace,
    "translate": _check_translate,
    "join": _check_join,
}


def refuse_unsafe(value: Any) -> None:
    """Raise SecurityError for a callable that templates may not call."""
    if isinstance(value, type) and value not in (dict, range):
        raise SecurityError("a class cannot be called from a template")
