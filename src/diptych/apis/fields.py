"""Tables of fields: what an object of an API says, and where the neutral model says it.

One row binds a foreign path (dotted) to a neutral name, with a pair of small inverse functions
where the values differ. Reading is by subtraction: what the rows write of the value that they read
is taken out of the object, and the rest is kept in ``native`` under the name of the API. So reading
loses nothing, no leaf is kept twice, and reader and writer cannot disagree: a value that a row would
write differently is not bound by it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from ..model import FrozenMap, freeze, thaw
from ..projection import ITEMS as ITEMS
from ..projection import MISSING as MISSING
from ..projection import NOTE as NOTE
from ..projection import joined as joined

#: What is frozen and thawed as it is.
_SCALARS: Final = frozenset({str, int, float, bool})
#: An object of JSON: nearly always a dict, which is asked first.
OBJECT: Final = (dict, Mapping)
#: What was written is not what stood there. No JSON value is this.
DIFFERS: Final[Any] = object()


class Field(NamedTuple):
    """A row of a table: where an API says something, and what it is called in the neutral model.

    ``read`` makes the neutral value, or None where the value is of another kind; ``write`` is its
    inverse, and gives None where the API has no place for a value. ``type`` is the type that a value
    must have to be read. ``also`` names further neutral names that are written here.
    """

    path: str
    to: str
    read: Callable[[Any], Any] | None = None
    write: Callable[[Any], Any] | None = None
    type: type | tuple[type, ...] = object
    also: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object: the neutral class it becomes, its fields, and the constants that mark it.

    ``needs`` names what must be read of an object for it to be of this kind, and written of a value;
    ``defaults`` what is written where the value does not say it. ``fits`` may refuse a neutral value
    that the API would not take, such as an image by address.
    """

    cls: type
    fields: tuple[Field, ...]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    fits: Callable[[Any], bool] | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def paths(self) -> set[str]:
        """Every path that is read."""
        return {*self.fixed, *(row.path for row in self.fields)}

    def path_of(self, name: str) -> str:
        """Return where the API says what the neutral model calls ``name``; its own name where it is in no row."""
        return next((row.path for row in self.fields if name == row.to or name in row.also), name)

    def row_of(self, name: str) -> Field:
        """Return the row of a neutral value."""
        return next(row for row in self.fields if row.to == name)

    def bind(self, value: Mapping[str, Any]) -> tuple[dict[str, Any], Any] | None:
        """Return the neutral values of an object and the rest of it, None where it is of another kind."""
        if any(dig(value, path) != constant for path, constant in self.fixed.items()):
            return None
        found: dict[str, Any] = {}
        for row in self.fields:
            if row.to not in found and (got := _read(row, dig(value, row.path))) is not None:
                found[row.to] = got
        if any(name not in found for name in self.needs):
            return None
        rest = subtract(value, self.put(found))
        return None if rest is DIFFERS else (found, rest)

    def put(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Write neutral values as an object of the API, those that have a place."""
        wire: dict[str, Any] = {}
        for path, constant in self.fixed.items():
            place(wire, path, constant)
        for row in self.fields:
            value = values.get(row.to)
            written = None if value is None else _written(row, value)
            for name in row.also if written is None else ():
                if (value := values.get(name)) is not None and (written := _written(row, value)) is not None:
                    break
            if written is not None:
                place(wire, row.path, written)
        return wire

    def changed(self, values: Mapping[str, Any]) -> Iterator[str]:
        """Yield the names of the neutral values that would be read as others, were they written."""
        for row in self.fields:
            value = values.get(row.to)
            if value is None or row.read is None or row.write is None or (written := row.write(value)) is None:
                continue
            if not is_same(row.read(written), value):
                yield row.to

    def unplaced(self, values: Mapping[str, Any]) -> Iterator[str]:
        """Yield the names of the neutral values that have no place."""
        for name, value in values.items():
            rows = [row for row in self.fields if name == row.to or name in row.also]
            if value is not None and not any(_written(row, value) is not None for row in rows):
                yield name


def _read(row: Field, value: Any) -> Any:
    if value is MISSING or value is None or not isinstance(value, row.type):
        return None
    return row.read(value) if row.read else value


def _written(row: Field, value: Any) -> Any:
    return row.write(value) if row.write else thaw(value)


def bind_field(row: Field, value: Any) -> tuple[Any, Any]:
    """Return the neutral value of a field, None where it has none, and what it leaves."""
    if type(value) in _SCALARS and row.write is None and row.read in (None, freeze) and isinstance(value, row.type):
        return value, MISSING
    got = _read(row, value)
    rest = DIFFERS if got is None else subtract(value, _written(row, got))
    return (None, value) if rest is DIFFERS else (got, rest)


# places in an object -------------------------------------------------------------------------------


def dig(value: Any, path: str) -> Any:
    """Return what stands at a dotted path, MISSING where nothing does.

    >>> dig({"source": {"type": "url"}}, "source.type")
    'url'
    """
    if "." not in path and type(value) is dict:
        return value.get(path, MISSING)
    for step in path.split("."):
        if not isinstance(value, Mapping) or step not in value:
            return MISSING
        value = value[step]
    return value


def place(wire: dict[str, Any], path: str, value: Any) -> None:
    """Put a value at a dotted path; an object that stands there already is completed.

    >>> wire = {"source": {"type": "url"}}
    >>> place(wire, "source.url", "https://e.org")
    >>> wire
    {'source': {'type': 'url', 'url': 'https://e.org'}}
    """
    last = path
    if "." in path:
        *before, last = path.split(".")
        for step in before:
            wire = wire.setdefault(step, {})
    known = wire.get(last)
    wire[last] = joined(known, value) if isinstance(known, dict) and isinstance(value, Mapping) else value


def subtract(value: Any, written: Any) -> Any:
    """Return what is left of a value without what was written of it.

    MISSING where nothing is left, DIFFERS where something written does not stand there.

    >>> subtract({"type": "text", "text": "Hi", "cache": 1}, {"type": "text", "text": "Hi"})
    {'cache': 1}
    """
    if type(written) is not str and isinstance(value, OBJECT) and isinstance(written, OBJECT):
        rest = {name: item for name, item in value.items() if name not in written}
        for name, item in written.items():
            left = subtract(value.get(name, MISSING), item)
            if left is DIFFERS:
                return DIFFERS
            if left is not MISSING:
                rest[name] = left
        return rest or MISSING
    return MISSING if is_equal(value, written) else DIFFERS


def is_same(one: Any, two: Any) -> bool:
    """Tell whether two neutral values mean the same: texts of JSON are compared as JSON.

    >>> is_same('{"a": 1}', '{"a":1}'), is_same("{}", "")
    (True, True)
    """
    if one == two:
        return True
    try:
        return bool(json.loads(one or "{}") == json.loads(two or "{}"))
    except (TypeError, ValueError, RecursionError):
        return False


def is_equal(one: Any, two: Any) -> bool:
    """Tell whether two JSON values are the same; true is not 1, and a tuple is a list.

    >>> is_equal([True], (True,)), is_equal(True, 1)
    (True, False)
    """
    if type(one) is str:
        return bool(one == two)
    if isinstance(one, list | tuple) and isinstance(two, list | tuple):
        return len(one) == len(two) and all(map(is_equal, one, two))
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        return one.keys() == two.keys() and all(is_equal(one[name], two[name]) for name in one)
    return bool(one == two) and isinstance(one, bool) == isinstance(two, bool)


def natives(api: str, rest: Any) -> FrozenMap:
    """Return the rest of an object as the ``native`` of a neutral value.

    >>> natives("anthropic", {"cache": 1})
    FrozenMap({'anthropic': {'cache': 1}})
    """
    return FrozenMap({api: rest})
