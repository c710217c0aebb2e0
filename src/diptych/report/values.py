"""Any JSON value or text as lines, each with its path, so that a loss stands where it happened."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ..jsonpath import json_path
from ..loss import Loss


class Line(NamedTuple):
    """A line of a value: its path, how deep it stands, its text."""

    path: str
    depth: int
    text: str


def lines_of(value: Any) -> list[Line]:
    """Return the lines of a value: a text as it is, anything else as indented JSON.

    >>> [line.path for line in lines_of({"a": [1]})]
    ['$', '$.a', '$.a[0]', '$.a', '$']
    """
    if isinstance(value, str):
        return [Line("$", 0, text) for text in value.split("\n")]
    return list(_json(value, "$", 0, "", ""))


def _json(value: Any, path: str, depth: int, before: str, after: str) -> Iterator[Line]:
    if not isinstance(value, Mapping | list | tuple) or not value:
        yield Line(path, depth, before + _scalar(value) + after)
        return
    is_object = isinstance(value, Mapping)
    yield Line(path, depth, before + ("{" if is_object else "["))
    last = len(value) - 1
    for index, key in enumerate(value):
        comma = "," if index < last else ""
        if is_object:
            yield from _json(value[key], json_path([str(key)], path), depth + 1, f"{_scalar(str(key))}: ", comma)
        else:
            yield from _json(key, json_path([index], path), depth + 1, "", comma)
    yield Line(path, depth, ("}" if is_object else "]") + after)


def _scalar(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def with_losses(lines: Iterable[Line], losses: Iterable[Loss]) -> list[dict[str, Any]]:
    """Return lines with the losses of each: a loss stands at the deepest line whose path holds it.

    >>> shown = with_losses(lines_of({"n": 2}), [Loss("$.n", "parameter-dropped", "one answer alone")])
    >>> [(line["text"], len(line["losses"])) for line in shown]
    [('{', 0), ('"n": 2', 1), ('}', 0)]
    """
    shown: list[dict[str, Any]] = [{**line._asdict(), "losses": []} for line in lines]
    first: dict[str, int] = {}
    for index, line in enumerate(shown):
        first.setdefault(line["path"], index)
    for loss in losses:
        shown[first.get(_known(loss.path, first), 0)]["losses"].append(loss.to_json())
    return shown


def _known(path: str, known: Mapping[str, int]) -> str:
    """Return the longest beginning of a path that is known."""
    while path and path not in known:
        cut = max(path.rfind("."), path.rfind("["))
        path = path[:cut] if cut > 0 else ""
    return path
