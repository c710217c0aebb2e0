"""Column maps: rows under names of their own become rows under the names of their layout.

A map says where in a row each field of the layout stands (a column, or a path inside of one), how
the keys of a turn are called, which names its speakers have, what is constant, and what is left
out knowingly. What it does not name stays as it is, so that the layout's reader reports it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from ..errors import FormatError
from ..model import EMPTY, FrozenMap, freeze, thaw
from ..suggest import suggest
from .rows import SPEAKERS

#: A step of a path: a key, a key in brackets and quotes, or a number in brackets.
_STEP: Final = re.compile(r"""\.?([^.\[\]"']+)|\[(\d+)\]|\["([^"]*)"\]|\['([^']*)'\]""")
_CALLS: Final = "function_call"
#: Lists of objects that are no turns.
_NO_TURNS: Final = ("tools", "functions")
_Steps = tuple[str | int, ...]
_MISSING: Final = object()


@dataclass(frozen=True)
class ColumnMap:
    """Where the fields of a layout stand in rows of one's own.

    ``columns`` maps a field to a column, or to a path (``meta.question``, ``turns[0].text``);
    ``constants`` a field to the value that rows without one have; ``roles`` a role to the names
    of it; ``turn`` a key of a turn to the turns' own name for it. ``drop`` names columns, or
    paths, that are left out knowingly.

    >>> names = ColumnMap({"messages": "talk.turns"}, roles={"assistant": "bot"}, turn={"role": "who"})
    >>> names.apply({"talk": {"turns": [{"who": "bot", "content": "Hi"}]}})
    {'messages': [{'content': 'Hi', 'role': 'assistant'}]}
    """

    columns: FrozenMap = field(default=EMPTY)
    constants: FrozenMap = field(default=EMPTY)
    roles: FrozenMap = field(default=EMPTY)
    turn: FrozenMap = field(default=EMPTY)
    drop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("columns", "constants", "roles", "turn"):
            value = getattr(self, name)
            if not isinstance(value, Mapping):
                raise FormatError(f"{name!r} is an object, not {type(value).__name__}", path=f"$.{name}")
            object.__setattr__(self, name, freeze(value))
        object.__setattr__(self, "_speakers", _speakers_of(self.roles))
        places = {name: _places(getattr(self, name), name) for name in ("columns", "turn")}
        object.__setattr__(self, "_places", places)
        object.__setattr__(self, "_dropped", [_steps(name, "$.drop") for name in self.drop])

    def __bool__(self) -> bool:
        return bool(self.columns or self.constants or self.roles or self.turn or self.drop)

    def apply(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row under the names of its layout. Raises FormatError where two columns are one field."""
        left = dict(row)
        for steps in cast("list[_Steps]", self._dropped):  # type: ignore[attr-defined]
            _take(left, steps)
        found = _renamed(left, self._places["columns"], "$")  # type: ignore[attr-defined]
        for name, value in self.constants.items():
            if found.get(name) in (None, ""):
                found[name] = thaw(value)
        if self.turn or self.roles:
            return {name: self._turns(item, name) for name, item in found.items()}
        return found

    def absent(self, rows: Iterable[Mapping[str, Any]]) -> str | None:
        """Return a column of the map that no row has, with a hint; None where each stands in one.

        >>> ColumnMap({"question": "frage"}).absent([{"frag": "2+2?"}])
        "no row has the column 'frage': did you mean 'frag'?"
        """
        names: dict[str, None] = {}
        missing = dict(self.columns)
        for row in rows:
            names.update(dict.fromkeys(row))
            for name, where in list(missing.items()):
                if _find(row, _places({name: where}, "columns")[name]) is not _MISSING:
                    del missing[name]
            if not missing:
                return None
        if not names or not missing:
            return None
        where = str(next(iter(missing.values())))
        return f"no row has the column {where!r}: {suggest(where, names)}"

    def _turns(self, value: Any, name: str) -> Any:
        is_list = isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value)
        if name in _NO_TURNS or not (is_list or (name in ("chosen", "rejected") and isinstance(value, Mapping))):
            return value
        if not is_list:
            return self._turn(value, f"$.{name}")
        return [self._turn(turn, f"$.{name}[{index}]") for index, turn in enumerate(value)]

    def _turn(self, turn: Mapping[str, Any], path: str) -> dict[str, Any]:
        found = _renamed(dict(turn), self._places["turn"], path)  # type: ignore[attr-defined]
        key = "role" if "role" in found else "from"
        speakers: Mapping[str, str] = self._speakers  # type: ignore[attr-defined]
        role = speakers.get(_name_of(found.get(key)))
        if role is None:
            return found
        found[key] = role
        if role == _CALLS and key == "role":
            others = {name: item for name, item in found.items() if name not in ("role", "content")}
            return {"from": role, "value": found.get("content"), **others}
        return found


def _speakers_of(roles: Mapping[str, Any]) -> dict[str, str]:
    """Return the role of each name of a speaker. Raises FormatError for an unknown role, or a name of two."""
    found: dict[str, str] = {}
    for role, names in roles.items():
        if role not in SPEAKERS and role != _CALLS:
            raise FormatError(f"unknown role {role!r}", path=f"$.roles.{role}", hint=suggest(role, [*SPEAKERS, _CALLS]))
        for name in map(_name_of, (names,) if isinstance(names, str | int) else names):
            if found.setdefault(name, role) != role:
                raise FormatError(f"{name!r} is both {found[name]} and {role}", path=f"$.roles.{role}")
    return found


def _name_of(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _places(where: Mapping[str, Any], kind: str) -> dict[str, _Steps]:
    return {name: _steps(path, f"$.{kind}.{name}") for name, path in where.items()}


def _steps(path: Any, at: str) -> _Steps:
    """Return the steps of a path, its text first: a column of that very name is taken before a path."""
    if not isinstance(path, str) or not path:
        raise FormatError("a column is the name of one, or a path", path=at)
    text = path.removeprefix("$")
    found: list[str | int] = [path]
    place = 0
    while place < len(text):
        step = _STEP.match(text, place)
        if step is None or (place == 0 and text.startswith(".") and text == path):
            raise FormatError(f"{path!r} is not a path such as a.b, a[0].b or a['b c']", path=at)
        key, number, *quoted = step.groups()
        found.append(int(number) if number is not None else next(x for x in (key, *quoted) if x is not None))
        place = step.end()
    return tuple(found)


def _find(row: Mapping[str, Any], steps: _Steps) -> Any:
    name, *rest = steps
    if name in row:
        return row[cast("str", name)]
    value: Any = row
    for step in rest:
        value = _item(value, step)
    return value


def _item(value: Any, step: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(cast("str", step), _MISSING)
    if isinstance(value, list | tuple) and isinstance(step, int) and step < len(value):
        return value[step]
    return _MISSING


def _take(row: dict[str, Any], steps: _Steps) -> Any:
    """Take a value out of a row; objects that it was taken out of are new, and gone where nothing is left."""
    name, *rest = steps
    if name in row:
        return row.pop(name)
    if _find(row, steps) is _MISSING:
        return _MISSING
    value, _ = _taken(row, rest)
    return value


def _taken(value: Any, steps: list[str | int]) -> tuple[Any, Any]:
    """Return what stands at the end of a path, and the value without it; the outermost object is changed itself."""
    step, *rest = steps
    found, left = (value[step], None) if not rest else _taken(_copy(value[step]), rest)
    if isinstance(value, list):
        value[cast("int", step)] = left
        return found, value if any(item is not None for item in value) else None
    if left is None:
        del value[step]
    else:
        value[step] = left
    return found, value or None


def _copy(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else list(value)


def _renamed(left: dict[str, Any], places: Mapping[str, _Steps], path: str) -> dict[str, Any]:
    """Return an object under other names. Raises FormatError where a name would stand twice."""
    if not places:
        return left
    taken = {name: item for name, steps in places.items() if (item := _find(left, steps)) is not _MISSING}
    for steps in sorted(places.values(), key=len, reverse=True):
        _take(left, steps)
    for name, item in taken.items():
        _put(left, name, item, path)
    return left


def _put(row: dict[str, Any], name: str, item: Any, path: str) -> None:
    *outer, last = name.split(".")
    for step in outer:
        row[step] = dict(row[step]) if isinstance(row.get(step), Mapping) else {}
        row = row[step]
    if last in row:
        raise FormatError(f"two columns are the {name!r} of the row", path=f"{path}.{name}")
    row[last] = item
