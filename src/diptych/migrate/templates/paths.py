"""Paths of Handlebars as Jinja writes them, with what a schema tells of their values.

Rule: a name that is a method of a mapping is looked up as a key: ``a.items`` is data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple


class Expression(NamedTuple):
    """A path in Jinja, its JSON Schema where one is known, and whether it may be missing."""

    source: str
    schema: Mapping[str, Any]
    may_miss: bool = False


class Context(NamedTuple):
    """What names stand for inside a block: the item of a loop, or an object."""

    here: Expression
    is_loop: bool = False
    key: str = ""
    names: Mapping[str, Expression] = {}
    #: What a partial is given by name: it goes before the fields of the context itself.
    own: Mapping[str, Expression] = {}


def step(source: str, segment: str) -> str:
    """Return a path one segment further.

    >>> step("a", "b"), step("a", "0"), step("a", "items")
    ('a.b', 'a[0]', "a['items']")
    """
    if segment.isdigit():
        return f"{source}[{segment}]"
    is_name = re.fullmatch(r"[A-Za-z_]\w*", segment) and segment not in dir(dict)
    return f"{source}.{segment}" if is_name else f"{source}[{segment!r}]"


def types_of(schema: Mapping[str, Any]) -> list[str]:
    """Return the types that a schema allows, null among them."""
    kind = schema.get("type")
    return (
        [kind]
        if isinstance(kind, str)
        else [one for one in kind if isinstance(one, str)]
        if isinstance(kind, list)
        else []
    )


def type_of(schema: Mapping[str, Any]) -> str:
    """Return the type of a schema beside null, empty where it is not one."""
    kinds = [kind for kind in types_of(schema) if kind != "null"]
    return kinds[0] if len(kinds) == 1 else ""
