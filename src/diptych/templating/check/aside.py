"""Set aside what is wrong with a template, so that what else is wrong with it is found in the same run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from jinja2 import nodes

from ..declared import named_samples


@contextmanager
def known_names(named: Iterable[nodes.Filter | nodes.Test]) -> Iterator[None]:
    """Give filters and tests names that are known, while a template is loaded."""
    names = [(node, node.name) for node in named]
    for node, _ in names:
        node.name = "string" if isinstance(node, nodes.Filter) else "defined"
    yield
    for node, name in names:
        node.name = name


def _inputs(inputs: Any, name: str) -> Any:
    return {**inputs, name: {}} if isinstance(inputs, dict) else None


def _samples(samples: Any, name: str) -> Any:
    named = named_samples(samples)
    return {one: row for one, row in named.items() if one != name} if isinstance(named, dict) else None


def _tools(tools: Any, index: str) -> Any:
    named = enumerate(tools) if isinstance(tools, list) else ()
    return [{"name": "tool"} if str(number) == index else tool for number, tool in named]


_PARTS: Final = {"inputs": _inputs, "samples": _samples, "tools": _tools}


def without(meta: dict[str, Any], path: str) -> dict[str, Any]:
    """Return a front matter without what stands at a path; an input stays and takes anything.

    >>> without({"inputs": {"a": "strng", "b": "string"}, "model": 5}, "$.inputs.a")
    {'inputs': {'a': {}, 'b': 'string'}, 'model': 5}
    """
    top, item = [*re.findall(r"[^.\[\]]+", path.removeprefix("$")), "", ""][:2]
    kept = _PARTS[top](meta.get(top), item) if top in _PARTS and item else None
    if kept is not None and kept != meta.get(top):
        return {**meta, top: kept}
    return {name: one for name, one in meta.items() if name != top}
