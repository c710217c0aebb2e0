"""What it costs to walk through a value: to compare, hash, sort, print or search it.

Rule: a value is measured as a walk of Python's own visits it: what stands in it twice counts twice. Measuring is
charged while it goes on, so that it ends where the caps end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Final, NamedTuple, TypeVar

from .limits import spend

T = TypeVar("T")

_NUMBERS: Final = frozenset({int, float, bool, type(None)})
_TEXT: Final = frozenset({str})
#: Numbers from here on can be chosen to have one hash.
_HASHED: Final = 2**60
_NOTHING: Final[dict[str, Any]] = {}
_CONTAINERS: Final = (
    list, tuple, dict, set, frozenset, range, type(_NOTHING.keys()), type(_NOTHING.values()), type(_NOTHING.items()),
)  # fmt: skip
#: A text shorter than this costs no more than the operator itself.
_SHORT: Final = 1024


class Measure(NamedTuple):
    """How many values a walk visits, and how many characters they have."""

    items: int
    characters: int

    @property
    def work(self) -> int:
        """The price of one walk in units of work, each about a microsecond."""
        return (self.items >> 5) + (self.characters >> 10)


def measure(value: Any) -> Measure:
    """Return the measure of a value. Raises ResourceLimit where the walk is over the caps."""
    if isinstance(value, str):
        return Measure(1, len(value))
    items = characters = 0
    stack: list[Iterator[Any]] = [iter((value,))]
    while stack:
        for one in stack[-1]:
            if isinstance(one, str):
                characters += len(one)
            elif isinstance(one, _CONTAINERS):
                more, inside = _inside(one)
                items += len(one) + 1
                characters += more
                if inside is not None:
                    stack.append(inside)
                    break
        else:
            stack.pop()
    return Measure(items + 1, characters)


def _inside(container: Any) -> tuple[int, Iterator[Any] | None]:
    """Return the characters of a flat container, or what to walk in one that is not flat."""
    spend(1 + (len(container) >> 5))
    if isinstance(container, range):
        return 0, None
    parts: Iterable[Any] = chain(container, container.values()) if isinstance(container, dict) else container
    kinds = set(map(type, parts))
    parts = chain(container, container.values()) if isinstance(container, dict) else container
    if kinds <= _NUMBERS:
        return 8 * len(container), None
    if kinds <= _TEXT:
        return sum(map(len, parts)), None
    return 0, iter(parts)


def hashed(value: Any) -> None:
    """Charge the hashes of all that stands in a value, large numbers as if all had the same one."""
    spend(measure(value).work)
    large = sum(map(_large_numbers, _leaves(value)))
    spend(large * large >> 6)


def _large_numbers(leaf: Any) -> int:
    if isinstance(leaf, range):
        return len(leaf) if leaf and max(abs(leaf[0]), abs(leaf[-1])) >= _HASHED else 0
    return isinstance(leaf, int | float) and abs(leaf) >= _HASHED


def _leaves(value: Any) -> Iterator[Any]:
    """Yield the values in a value, ranges whole."""
    stack: list[Iterator[Any]] = [iter((value,))]
    while stack:
        for one in stack[-1]:
            if isinstance(one, _CONTAINERS) and not isinstance(one, range):
                stack.append(chain(one, one.values()) if isinstance(one, dict) else iter(one))
                break
            yield one
        else:
            stack.pop()


def levels(value: Any) -> int:
    """Return how deeply a value is nested, each of its containers looked at once."""
    deepest = 0
    inside: Iterable[Any] = [value]
    while layer := {id(one): one for one in inside if isinstance(one, _CONTAINERS)}:
        deepest += 1
        inside = chain.from_iterable(one.values() if isinstance(one, dict) else one for one in layer.values())
    return deepest


def weighed(value: T) -> T:
    """Charge one walk through a value, as a comparison or a hash makes it, and return it."""
    kind = type(value)
    if kind is str:
        if len(value) > _SHORT:  # type: ignore[arg-type]
            spend(len(value) >> 10)  # type: ignore[arg-type]
    elif kind not in _NUMBERS:
        spend(measure(value).work)
    return value


def searched(value: T) -> T:
    """Charge a search through a value, as ``in`` makes it, and return it."""
    if type(value) is dict:
        return value
    if isinstance(value, str):
        if len(value) > _SHORT:
            spend(len(value) >> 6)  # the worst needle is compared at every place
        return value
    if isinstance(value, range):
        spend(len(value) >> 4)
        return value
    return weighed(value)
