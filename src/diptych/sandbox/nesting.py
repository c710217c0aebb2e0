"""A cap on how deeply the values that a template builds are nested.

Python hashes a tuple by recursion in C and does not count the levels: tuples that a
loop nests a hundred thousand times end the process. A value becomes deeper only where
it is put into a new container: a tuple, list or mapping in the source, ``varargs`` and
``kwargs``, ``dict(…)``, ``cycler(…)``, the filters that group items, and the caller's own
functions. Each of these places asks :func:`nested`. ``+``, slices and ``|sort`` put no
container around what they copy, so they ask nothing and cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Final, TypeVar

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame, MacroRef

from ..errors import ResourceLimit
from .limits import charge, current_limits

T = TypeVar("T")

#: No limit allows more levels than this: far below what the smallest stack of a thread bears.
DEEPEST: Final = 500
#: Nor more containers than this in one value: a hash or a comparison cannot be interrupted.
MOST: Final = 1_000_000
_LEAVES: Final = frozenset({str, int, float, bool, type(None)})
#: A walk looks at its limits after so many steps (a power of two).
_PACE: Final = 12
#: So many items (a power of two) of a container that holds no other cost as much as a further container.
_FLAT: Final = 7
_NOTHING: Final[dict[str, Any]] = {}
_VIEWS: Final = (type(_NOTHING.keys()), type(_NOTHING.values()), type(_NOTHING.items()))
_CONTAINERS: Final = (list, tuple, dict, set, frozenset, *_VIEWS)
#: Callables of these packages build nothing deeper than what they are given, or ask by themselves.
_TRUSTED: Final = frozenset({"diptych", "jinja2", "builtins"})


def nested(value: T) -> T:
    """Return a new container. Raises ResourceLimit if it is nested too deeply."""
    items: Any = value
    if isinstance(value, dict) or not _LEAVES.issuperset(map(type, items)):
        charge(0)  # the clock alone: a walk takes time, but it is no step of the template's
        _walk(value, _deepest(), 0)
    return value


def _deepest() -> int:
    return min(2 * current_limits().depth, DEEPEST)


def _walk(container: Any, room: int, steps: int) -> int:
    """Visit all containers in a container, ``room`` levels deep, and return how many steps were taken so far.

    One that stands there several times is visited as often, as in Python's own walks:
    sixty pairs of one and the same value are 2**60 steps to hash or to print. So the
    number of visits is capped as well as the number of levels.
    """
    if not room:
        raise ResourceLimit(f"a value is nested more than {_deepest()} levels deep", hint=_hint())
    items = container
    if isinstance(container, dict):
        items = container.values() if _LEAVES.issuperset(map(type, container)) else _keys_and_values(container)
    if _LEAVES.issuperset(map(type, items)):
        return steps
    for item in items:
        if type(item) not in _LEAVES and isinstance(item, _CONTAINERS):
            after = steps + 1 + (len(item) >> _FLAT)
            if after >> _PACE != steps >> _PACE:
                _check(after)
            steps = _walk(item, room - 1, after)
    return steps


def _keys_and_values(mapping: dict[Any, Any]) -> list[Any]:
    return [*mapping, *mapping.values()]


def _check(steps: int) -> None:
    charge(0)
    if steps > MOST:
        raise ResourceLimit(f"a value holds more than {MOST:,} lists and mappings", hint="build a smaller value")


def _hint() -> str:
    return "build a flatter value" + (", or raise Limits.depth" if _deepest() < DEEPEST else "")


# what the caller's own functions return ----------------------------------------------------


def is_trusted(function: Any) -> bool:
    """True for callables of Python, Jinja and Diptych, which need no check of what they return."""
    module = getattr(function, "__module__", None)
    return module is None or str(module).partition(".")[0] in _TRUSTED


def built(value: Any) -> Any:
    """Return what a function of the caller's built, checked; a lazy result is checked item by item."""
    if isinstance(value, _CONTAINERS):
        return nested(value)
    return (built(item) for item in value) if isinstance(value, Iterator) else value


def watched(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter of the caller's whose results are checked."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return built(function(*args, **kwargs))

    return call


# containers in the source --------------------------------------------------------------------


class NestingCodeGenerator(CodeGenerator):
    """Write ``nested(…)`` around tuples, lists and mappings that may hold containers."""

    def write_commons(self) -> None:
        super().write_commons()
        self.writeline("nested = environment.nested")
        self.writeline("made = environment.made")

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:
        self._checked(super().visit_Tuple, node, frame)

    def visit_List(self, node: nodes.List, frame: Frame) -> None:
        self._checked(super().visit_List, node, frame)

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:
        self._checked(super().visit_Dict, node, frame)

    def _checked(self, visit: Callable[[Any, Frame], None], node: Any, frame: Frame) -> None:
        is_target = isinstance(node, nodes.Tuple) and node.ctx != "load"
        is_inside, is_free = getattr(node, "is_checked", False), getattr(node, "is_free", False)
        for child in _children(node):
            child.is_checked = True  # type: ignore[attr-defined]  # by the check of this one
        size = 0 if is_inside or is_free or is_target else _made_size(node)
        calls = ["made("] * (size > 0) + ["nested("] * (not (is_inside or is_target or _is_flat(node)))
        self.write("".join(calls))
        visit(node, frame)
        self.write(")" * ("nested(" in calls) + f", {size})" * (size > 0))

    def macro_def(self, macro_ref: MacroRef, frame: Frame) -> None:
        """Count what a macro is, with the names that it takes along."""
        names = sum(1 for _ in macro_ref.node.find_all(nodes.Name))
        self.write("made(")
        super().macro_def(macro_ref, frame)
        self.write(f", {_MACRO + _VALUE * names})")


#: Bytes of a macro, of a list or tuple, of a mapping, and of a value that a container in the source holds.
_MACRO: Final = 1_024
_LIST: Final = 64
_MAPPING: Final = 232
_VALUE: Final = 256


def _made_size(node: nodes.Node) -> int:
    """Return how many bytes an expression of the source makes each time; a constant, and a tuple of such, none."""
    if isinstance(node, nodes.Const):
        return 0
    if not isinstance(node, nodes.Tuple | nodes.List | nodes.Dict):
        return _VALUE
    parts = list(_children(node))
    inside = sum(map(_made_size, parts))
    if isinstance(node, nodes.Tuple) and not inside:
        return 0
    return inside + 8 * len(parts) + (_MAPPING + 64 * len(parts) if isinstance(node, nodes.Dict) else _LIST)


def _children(node: nodes.Node) -> Iterator[nodes.Node]:
    """Yield what stands in a container of the source, keys and values alike."""
    for item in node.iter_child_nodes():
        if isinstance(item, nodes.Pair):
            yield from (item.key, item.value)
        else:
            yield item


def _is_flat(node: nodes.Node) -> bool:
    """True where a container holds constants alone, however nested: the source bounds its depth."""
    if isinstance(node, nodes.Tuple | nodes.List | nodes.Dict):
        return all(map(_is_flat, _children(node)))
    return isinstance(node, nodes.Const | nodes.Compare | nodes.Not | nodes.Test)
