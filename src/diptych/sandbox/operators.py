"""Guarded operators: the size of a result is known, and its work charged, before it is made."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from sys import getsizeof
from typing import Any, Final

from jinja2.sandbox import SandboxedFormatter

from ..errors import ResourceLimit
from .limits import account, check_size, held, reserve, spend
from .measure import measure
from .printing import MAX_INTEGER_BITS, check_text

_TEXT: Final = frozenset({str})


def check_multiply(left: Any, right: Any) -> None:
    """Ask before ``left * right``."""
    for sequence, times in ((left, right), (right, left)):
        if isinstance(sequence, str | list | tuple) and isinstance(times, int):
            size = len(sequence) * max(0, times)
            check_size(size)
            reserve(size * (_width(sequence) if isinstance(sequence, str) else 8))
            spend(size >> 10)
    if isinstance(left, int) and isinstance(right, int):
        check_bits(left.bit_length() + right.bit_length())


def _width(value: str) -> int:
    """Return the bytes of a character of a text, or one more."""
    return getsizeof(value) // (len(value) + 60) + 1


def check_power(left: Any, right: Any) -> None:
    """Ask before ``left ** right``."""
    if isinstance(left, int) and isinstance(right, int):
        check_bits(left.bit_length() * abs(right))


def check_add(left: Any, right: Any) -> None:
    """Ask before ``left + right``."""
    if isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
        size = len(left) + len(right)
        check_size(size)
        if size > _SHORT:
            reserve(getsizeof(left) + getsizeof(right))
            spend(size >> 10)
    elif isinstance(left, int) and isinstance(right, int):
        check_bits(max(left.bit_length(), right.bit_length()))


def add(*operands: Any) -> Any:
    """Add the operands of ``a + b + c``, from left to right."""
    if _TEXT.issuperset(map(type, operands)):
        size = sum(map(len, operands))
        if size >= _SHORT:
            return add_texts(operands, size)
        running = account()  # the way of nearly all chains: no further call
        if running and size > running.limits.output:
            check_size(size)
        made = "".join(operands)
        if running:
            running.bytes += getsizeof(made)
        return made
    total, *rest = operands
    for operand in rest:
        check_add(total, operand)
        total = held(total + operand)
    return total


def add_texts(texts: Sequence[str], size: int) -> str:
    """Join texts of so many characters."""
    check_size(size)
    spend(size >> 10)
    reserve(sum(map(getsizeof, texts)))
    return held("".join(texts))


def check_percent(left: Any, right: Any) -> None:
    """Ask before ``left % right``; where left is a format string, it makes a text."""
    if not isinstance(left, str):
        return
    values = right.values() if isinstance(right, dict) else right if isinstance(right, tuple) else (right,)
    least = sum(check_text(value) or len(str(value)) for value in values)
    _check_widths(left, "%")
    if "*" in left:
        check_size(sum(abs(v) for v in values if isinstance(v, int)))
    size = len(left) + least * max(1, left.count("%"))
    check_size(size)
    spend(size >> 6)


def check_numbers(left: Any, right: Any) -> None:
    """Ask before ``left - right``, ``left / right`` and ``left // right``: numbers, or views of mappings."""
    if isinstance(left, int) and isinstance(right, int):
        check_bits(max(left.bit_length(), right.bit_length()))
    elif not (isinstance(left, int | float) and isinstance(right, int | float)):
        spend(measure(left).work + measure(right).work)


#: What is asked before an operator; ``+`` is :func:`add` from the start.
OPERATOR_CHECKS: Final[dict[str, Callable[[Any, Any], None]]] = {
    "*": check_multiply,
    "**": check_power,
    "%": check_percent,
    "-": check_numbers,
    "/": check_numbers,
    "//": check_numbers,
}

_SHORT: Final = 1024


def check_bits(bits: int) -> None:
    """Refuse an integer of so many bits."""
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
    """One call of ``str.format`` in the sandbox: widths are checked, only plain data is shown."""

    _size = 0

    def vformat(self, format_string: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        fields, steps = format_string.count("{"), format_string.count(".") + format_string.count("[")
        spend(2 * (fields + steps) + (len(format_string) >> 6))  # two microseconds each
        return super().vformat(format_string, args, kwargs)

    def format_field(self, value: Any, format_spec: str) -> Any:
        _check_widths(format_spec, "{}")
        check_text(value)
        made = super().format_field(value, format_spec)
        self._size += len(made)
        check_size(self._size)
        return made

    def convert_field(self, value: Any, conversion: Any) -> Any:
        check_text(value)
        return super().convert_field(value, conversion)


def sliced(value: Any, part: slice) -> Any:
    """Return ``value[a:b:c]``, charged before it is made."""
    if isinstance(value, str | list | tuple) and len(value) > _SHORT:
        size = len(range(*part.indices(len(value))))
        spend(size >> 10)
        reserve(size * (_width(value) if isinstance(value, str) else 8))
    return held(value[part])
