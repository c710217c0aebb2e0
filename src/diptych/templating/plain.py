"""Reduce inputs to plain data before a template sees them.

Rule: a template gets strings, numbers, booleans, None, lists and mappings of its
own: no object with methods, nothing the caller still holds. Lone surrogates, which
no request can carry, become U+FFFD, and that is told.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import os
import uuid
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from ..errors import InvalidInput
from ..loss import Loss
from ..sandbox.guards import MAX_INTEGER_BITS
from ..sandbox.limits import DEFAULT_LIMITS, Limits


@runtime_checkable
class Dumps(Protocol):
    """A model of pydantic, or whatever says in the same way what it holds."""

    def model_dump(self, *, mode: str = "python") -> Any: ...


class Reducer:
    """Reduce values no deeper than ``limits.depth``, and note what had to be replaced, in ``losses``."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._deepest = limits.depth
        self.losses: list[Loss] = []

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
        if isinstance(value, Mapping):
            return self._mapping(value, path, depth)
        if isinstance(value, list | tuple):
            return [self.reduce(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
        return self.reduce(_simplify(value, path), path, depth + 1)

    def _mapping(self, value: Mapping[Any, Any], path: str, depth: int) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for key, item in value.items():
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

    def _key(self, key: Any, path: str) -> str:
        if isinstance(key, str):
            return self._text(str.__str__(key), path)
        if isinstance(key, int | float | bool) or key is None:
            return str(key)
        raise InvalidInput(f"a mapping's key is a {type(key).__name__}, not text", path=path)


def _integer(value: int, path: str) -> int:
    if value.bit_length() > MAX_INTEGER_BITS:
        raise InvalidInput("an integer of more than about 4,200 digits", path=path, hint="pass it as text")
    return value


def _simplify(value: Any, path: str) -> Any:
    """Return a simpler stand-in for a value that is not JSON."""
    if isinstance(value, enum.Enum):
        return value.value
    for base in (str, int, float):
        if isinstance(value, base):
            return base(value) if base is not str else str.__str__(value)[:]
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal | uuid.UUID):
        return str(value)
    if isinstance(value, os.PathLike):
        return _path_text(value, path)
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if issubclass(type(value), Dumps):
        return value.model_dump(mode="json")
    raise InvalidInput(
        f"a {type(value).__name__} is not plain data",
        path=path,
        hint="pass a string, number, boolean, list or mapping",
    )


def _path_text(value: os.PathLike[Any], path: str) -> str:
    text = os.fspath(value)
    if not isinstance(text, str):
        raise InvalidInput("a path of bytes is not plain data", path=path)
    return text
