"""Reduce inputs to plain data before a template sees them.

Rule: a template gets strings, numbers, booleans, None, lists and mappings of its
own: nothing the caller still holds. Lone surrogates, which no request can carry, become
U+FFFD, and that is told.

What is not plain data keeps its meaning where it can:

- a ``Decimal`` computes and prints as it is; keys of mappings that are numbers stay numbers
- a date or time prints as ISO 8601 and has its fields (``day.year``, ``day.month``, ``at.hour``)
- a named tuple has its fields and its items; dataclasses and models of pydantic are mappings of
  their fields, in order; a model with a field that is not plain data is its JSON form, which is told
- an enum is its value, a UUID or path its text, a set a sorted list
- bytes of an image, audio or document are a ``data:`` URL
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import os
import uuid
from collections import deque
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from contextlib import suppress
from typing import Any, Final, Protocol, TypeVar, runtime_checkable

from ..errors import DiptychError, InvalidInput, ResourceLimit
from ..loss import Loss
from ..sandbox.limits import DEFAULT_LIMITS, Limits
from ..sandbox.printing import MAX_INTEGER_BITS
from .media import FilePath, as_data_url, sniffed

T = TypeVar("T")

_CONTAINERS: Final = (Mapping, list, tuple, range, deque, KeysView, ValuesView, ItemsView)
#: Digits and powers of ten that a number may have: as text it stays small.
_MOST_DIGITS: Final = 4_000


class Moment(str):
    """The ISO 8601 text of a date or time, with its fields.

    >>> Moment("2026-01-31").month
    1
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> int:
        if name in _MOMENT_FIELDS:
            for kind in (datetime.time, datetime.date, datetime.datetime):
                with suppress(ValueError, AttributeError):
                    return int(getattr(kind.fromisoformat(self), name))
        raise AttributeError(name)


_MOMENT_FIELDS: Final = frozenset({"year", "month", "day", "hour", "minute", "second", "microsecond"})


class Record(tuple[Any, ...]):
    """The items of a named tuple, which have names too.

    >>> Record.of(("x", "y"), [1, 2]).y
    2
    """

    names: tuple[str, ...]

    @classmethod
    def of(cls, names: tuple[str, ...], items: Iterable[Any]) -> Record:
        """Return the record of these items."""
        made = cls(items)
        made.names = names
        return made

    def __getattribute__(self, name: str) -> Any:
        names = tuple.__getattribute__(self, "__dict__").get("names", ())
        return self[names.index(name)] if name in names else tuple.__getattribute__(self, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Record.of, (self.names, list(self)))


@runtime_checkable
class Dumps(Protocol):
    """A model of pydantic, or whatever says in the same way what it holds."""

    def model_dump(self, *, mode: str = "python") -> Any: ...


class Reducer:
    """Reduce values no deeper than ``limits.depth``, and note what had to be replaced, in ``losses``.

    A container that stands in several places is reduced once. All values together may hold ``limits.work`` values.
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._deepest = limits.depth
        self._left = limits.work
        #: What was reduced, by its id: the value itself, which so keeps its id, the depth it stood at, and its copy.
        self._known: dict[int, tuple[Any, int, Any]] = {}
        self.losses: list[Loss] = []

    def plain(self, value: Any, path: str) -> Any:
        """Return the plain copy of an input. Raises InvalidInput with the path, ResourceLimit for too many values."""
        try:
            return self.reduce(value, path)
        except DiptychError:
            raise
        except RecursionError:
            raise InvalidInput("the value is nested too deeply, or contains itself", path=path) from None
        except Exception as error:  # of a class of the caller's, which is asked what it holds
            told = f"{type(error).__name__}: {error}"[:200]
            raise InvalidInput(f"the value cannot be read: {told}", path=path, hint="pass plain data") from None

    def reduce(self, value: Any, path: str, depth: int = 0) -> Any:
        """Return the plain copy of a value. Raises InvalidInput with the path."""
        kind = type(value)
        if kind is str:
            return self._text(value, path)
        if value is None or kind is bool or kind is float:
            return value
        if kind is int:
            return _integer(value, path)
        if depth > self._deepest:
            raise InvalidInput("the value is nested too deeply, or contains itself", path=path)
        if kind is dict or kind is list or isinstance(value, _CONTAINERS):
            known = self._known.get(id(value))
            if known is not None and known[1] >= depth:
                return known[2]
            is_mapping = kind is dict or isinstance(value, Mapping)
            copy = self._mapping(value, path, depth) if is_mapping else self._items(value, path, depth)
            self._known[id(value)] = value, depth, copy
            return copy
        if kind in (Moment, FilePath) or isinstance(value, decimal.Decimal):
            return value if isinstance(value, str) else _decimal(value, path)
        if issubclass(kind, Dumps):
            return self._model(value, path, depth)
        return self.reduce(_simplify(value, path), path, depth + 1)

    def _items(self, value: Any, path: str, depth: int) -> Any:
        if type(value) is list:
            self._take(len(value), path)
            return [self.reduce(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value.copy())]
        numbered = enumerate(self._counted(value, path))
        items = [self.reduce(item, f"{path}[{index}]", depth + 1) for index, item in numbered]
        names = getattr(value, "_fields", None)
        return Record.of(names, items) if isinstance(value, tuple) and isinstance(names, tuple) else items

    def _counted(self, values: Iterable[T], path: str) -> Iterator[T]:
        """Yield values as long as there may be more of them."""
        for value in values:
            self._take(1, path)
            yield value

    def _take(self, number: int, path: str) -> None:
        """Count so many values. Raises ResourceLimit where these are more than there may be."""
        self._left -= number
        if self._left < 0:
            hint = "pass less, or raise Limits.work"
            raise ResourceLimit("the inputs hold too many values, or never end", path=path, hint=hint)

    def _model(self, value: Dumps, path: str, depth: int) -> Any:
        """Return the fields of a model; of one that holds what is not plain data, its JSON form."""
        known = len(self.losses)
        try:
            return self.reduce(value.model_dump(), path, depth + 1)
        except InvalidInput:
            del self.losses[known:]
            found = self.reduce(value.model_dump(mode="json"), path, depth + 1)
            self.losses.append(Loss(path, "substituted", "a field is not plain data: its JSON form is used"))
            return found

    def _mapping(self, value: Mapping[Any, Any], path: str, depth: int) -> dict[Any, Any]:
        plain: dict[Any, Any] = {}
        items: Iterable[tuple[Any, Any]] = value.items()
        if type(value) is dict:
            self._take(len(value), path)
        else:
            items = self._counted(items, path)
        for key, item in items:
            kind = type(item)
            if type(key) is str and key.isascii() and ((kind is str and item.isascii()) or kind is bool):
                plain[key] = item  # the common leaf, without the cost of its path
            else:
                plain[self._key(key, path)] = self.reduce(item, f"{path}.{key}", depth + 1)
        return plain

    def _text(self, value: str, path: str) -> str:
        if value.isascii():
            return value
        try:
            value.encode()
        except UnicodeEncodeError:
            self.losses.append(Loss(path, "replaced", "lone surrogates became U+FFFD"))
            # The same repair that tiktoken makes, so that counts agree.
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return value

    def _key(self, key: Any, path: str) -> Any:
        if isinstance(key, str):
            return self._text(str.__str__(key), path)
        if isinstance(key, enum.Enum):
            return self._key(key.value, path)
        if isinstance(key, int | float | decimal.Decimal) or key is None:
            return key
        if isinstance(key, datetime.date | datetime.time | uuid.UUID):
            return str(_simplify(key, path))
        raise InvalidInput(f"a mapping's key is a {type(key).__name__}, not text or a number", path=path)


def _integer(value: int, path: str) -> int:
    if value.bit_length() > MAX_INTEGER_BITS:
        raise InvalidInput("an integer of more than about 4,200 digits", path=path, hint="pass it as text")
    return value


def _decimal(value: decimal.Decimal, path: str) -> decimal.Decimal:
    if value.is_finite() and max(abs(value.adjusted()), len(value.as_tuple().digits)) > _MOST_DIGITS:
        raise InvalidInput(f"a Decimal of more than about {_MOST_DIGITS:,} digits", path=path, hint="pass it as text")
    return decimal.Decimal(value)


def _simplify(value: Any, path: str) -> Any:
    """Return a simpler stand-in for a value that is not JSON."""
    if isinstance(value, enum.Enum):
        return value.value
    for base in (str, int, float):
        if isinstance(value, base):
            return base(value) if base is not str else str.__str__(value)[:]
    if isinstance(value, datetime.date | datetime.time):
        return Moment(value.isoformat())
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, os.PathLike):
        return FilePath(_path_text(value, path))
    if isinstance(value, bytes | bytearray):
        return _media(bytes(value), path)
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise InvalidInput(
        f"a {type(value).__name__} is not plain data",
        path=path,
        hint="pass a string, number, boolean, list or mapping",
    )


def _media(value: bytes, path: str) -> str:
    kind = sniffed(value)
    if kind is None:
        hint = "decode text yourself; give other bytes as a data: URL"
        raise InvalidInput("bytes that are not an image, audio or a document are not plain data", path=path, hint=hint)
    return as_data_url(value, kind)


def _path_text(value: os.PathLike[Any], path: str) -> str:
    text = os.fspath(value)
    if not isinstance(text, str):
        raise InvalidInput("a path of bytes is not plain data", path=path)
    return text
