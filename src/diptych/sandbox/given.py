"""What a chat template is given: plain data of JSON's types, which the sandbox does not change.

Rule: what is plain already is passed on without a copy. Each container is walked once, however often it stands in
the data; all together may hold so many values, and an object that never ends, or raises, is a FormatError.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final

from ..errors import DiptychError, FormatError
from .printing import MAX_INTEGER_BITS

_PLAIN: Final = (str, int, float, bool, type(None))
_LEAVES: Final = frozenset(_PLAIN)
_SHORT: Final = frozenset({str, float, bool, type(None)})
_TEXT: Final = frozenset({str})
_OBJECT: Final = frozenset({dict})
#: Values that one argument may hold.
MOST_VALUES: Final = 1_000_000


def plain(value: Any, path: str, levels: int) -> Any:
    """Return plain data: mappings, lists, texts, numbers, true, false, none. Raises FormatError with the path."""
    return value if type(value) in _SHORT or _Walk().is_plain(value, levels) else copied(value, path, levels)


def copied(value: Any, path: str, levels: int) -> Any:
    """Return a plain copy of data, ``levels`` levels deep at most. Raises FormatError with the path."""
    try:
        return _Walk().copy(value, path, levels)
    except DiptychError:
        raise
    except Exception as error:  # of a class of the caller's, which is asked what it holds
        raise FormatError(f"the data cannot be read: {type(error).__name__}: {error}"[:200], path=path) from None


class _Walk:
    """One walk through the data of one argument."""

    __slots__ = ("_known", "_left")

    def __init__(self) -> None:
        self._left = MOST_VALUES
        #: By the id of a container that was walked: itself, the levels below it that were allowed, and its copy.
        self._known: dict[int, tuple[Any, int, Any]] = {}

    def is_plain(self, value: Any, room: int) -> bool:
        """Return whether a value is of JSON's own types through and through, ``room`` levels deep at most."""
        kind = type(value)
        if kind is dict and _TEXT.issuperset(map(type, value)):
            items: Any = value.values()
        elif kind is list:
            items = value
            if room and _are_flat_objects(value):
                return True
        else:
            return kind in _SHORT or (kind is int and value.bit_length() <= MAX_INTEGER_BITS)
        if _SHORT.issuperset(map(type, items)):
            return True
        known = self._known.get(id(value))
        if known is not None and known[1] <= room:
            return True
        self._left -= len(items)
        if room <= 0 and not _LEAVES.issuperset(map(type, items)):
            return False
        if self._left < 0 or not all(self.is_plain(item, room - 1) for item in items):
            return False
        self._known[id(value)] = value, room, value
        return True

    def copy(self, value: Any, path: str, room: int) -> Any:
        """Return a copy of a value. Raises FormatError with the path."""
        if isinstance(value, _PLAIN):
            if isinstance(value, int) and value.bit_length() > MAX_INTEGER_BITS:
                raise FormatError("an integer of more than about 4,200 digits", path=path)
            return _bare(value)
        if room < 0:
            raise FormatError("the data is nested too deeply", path=path)
        known = self._known.get(id(value))
        if known is not None and known[1] <= room:
            return known[2]
        made: Any
        if isinstance(value, Mapping):
            made = {
                str(key): self.copy(item, f"{path}.{key}", room - 1) for key, item in self._counted(value.items(), path)
            }
        elif isinstance(value, list | tuple):
            made = [
                self.copy(item, f"{path}[{index}]", room - 1) for index, item in enumerate(self._counted(value, path))
            ]
        else:
            raise FormatError(f"a {type(value).__name__} is not plain data", path=path)
        self._known[id(value)] = value, room, made
        return made

    def _counted(self, items: Iterable[Any], path: str) -> Iterator[Any]:
        for item in items:
            self._left -= 1
            if self._left < 0:
                raise FormatError(f"the data holds more than {MOST_VALUES:,} values, or never ends", path=path)
            yield item


def _bare(value: Any) -> Any:
    """Return a scalar without a class of its own: an enumeration's value, a number of NumPy."""
    if type(value) in _LEAVES:
        return value
    base: Any = next(kind for kind in (str, int, float) if isinstance(value, kind))
    return str.__str__(value) if base is str else base.__int__(value) if base is int else base.__float__(value)


def _are_flat_objects(items: list[Any]) -> bool:
    """Return whether all are objects of scalars, as messages mostly are, at the speed of C."""
    if not _OBJECT.issuperset(map(type, items)) or not _TEXT.issuperset(map(type, chain.from_iterable(items))):
        return False
    return _SHORT.issuperset(map(type, chain.from_iterable(map(dict.values, items))))
