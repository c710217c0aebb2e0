"""Uses: what a look at one place says is to be followed next, or cannot be.

``reads`` and ``passing`` only return uses; ``results`` alone follows them.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import libcst as cst

from .source import Node
from .values import Value


class Follow(NamedTuple):
    """An expression gives a value: its own uses come next."""

    node: Any
    value: Value


class Bind(NamedTuple):
    """A target of an assignment or a loop takes a value."""

    target: Any
    value: Value


class BindParam(NamedTuple):
    """A parameter takes a value."""

    param: cst.Param
    value: Value


class BindName(NamedTuple):
    """A binding of a name holds a value."""

    binding: Node
    name: str
    value: Value


class Owe(NamedTuple):
    """An expression must turn out to give the same value, or nothing; ``at`` is blamed where it does not."""

    node: Any
    value: Value
    at: Node


class Escape(NamedTuple):
    """A use that cannot be followed: it refuses the call."""

    node: Node
    how: str = ""


class Say(NamedTuple):
    """A use that stays right, and that people should know of."""

    node: Node
    what: str


Use: TypeAlias = Follow | Bind | BindParam | BindName | Owe | Escape | Say
