"""What Jinja finds wrong with a template, said once for every place that compiles one.

Jinja reports unknown filters and tests in three ways: when it compiles, when a branch
is taken (it compiles branches leniently), and when ``map`` or ``select`` looks a name
up. :func:`unknown_in_message` reads all three; :func:`mistakes` finds them, and loop
controls outside of a loop, in a syntax tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from jinja2 import nodes

from ..suggest import suggest
from .filters import REMOVED_FILTERS

_UNKNOWN: Final = re.compile(r"No (filter|test) named (['\"])(.*)\2", re.DOTALL)
_BRANCHES: Final = (nodes.If, nodes.CondExpr)
#: The body of these is a function of its own, which the loop around it does not reach.
_OUTSIDE_OF_LOOPS: Final = (nodes.Macro, nodes.CallBlock, nodes.Block)
#: Filters that take the name of a filter or test, and where among their arguments.
_NAMED: Final = {
    "map": ("filter", 0), "select": ("test", 0), "reject": ("test", 0), "selectattr": ("test", 1),
    "rejectattr": ("test", 1),
}  # fmt: skip
#: Words of Python's compiler for a template that is too deep, not wrong.
_TOO_DEEP: Final = ("nested", "too complex", "stack overflow")


class Mistake(NamedTuple):
    """What is wrong, the way out, the line, and a pattern of the place in it."""

    message: str
    hint: str | None = None
    line: int | None = None
    pattern: str | None = None

    @property
    def is_name(self) -> bool:
        """Whether it is an unknown filter or test."""
        return self.message.startswith(("unknown filter", "unknown test", "the filter"))

    def place(self, lines: Sequence[str]) -> tuple[int, int, int] | None:
        """Return line, column (both 1-based) and width of the place in the lines of a body, or None."""
        for number in [self.line] if self.line else range(1, len(lines) + 1):
            text = lines[number - 1] if number <= len(lines) else ""
            if self.pattern and (found := re.search(self.pattern, text)):
                return number, found.start(1) + 1, len(found[1])
        return None


def unknown(kind: str, name: str, environment: Any, line: int | None = None) -> Mistake:
    """Return the mistake of an unknown filter or test, with a did-you-mean."""
    known: Mapping[str, Any] = environment.filters if kind == "filter" else environment.tests
    before = r"(?:\|\s*|\bfilter\s+|['\"])" if kind == "filter" else r"(?:\bis\s+(?:not\s+)?|['\"])"
    pattern = rf"{before}({re.escape(name)})(?!\w)"
    if kind == "filter" and name in REMOVED_FILTERS:
        return Mistake(f"the filter {name!r} is not available in templates", REMOVED_FILTERS[name], line, pattern)
    return Mistake(f"unknown {kind} {name!r}", suggest(name, known), line, pattern)


def unknown_in_message(message: str | None, environment: Any, line: int | None = None) -> Mistake | None:
    """Return the unknown filter or test that a message of Jinja names, or None."""
    found = _UNKNOWN.match(message or "")
    return unknown(found[1], found[3], environment, line) if found else None


def mistakes(tree: nodes.Node, environment: Any, *, in_branches: bool, in_arguments: bool = False) -> Iterator[Mistake]:
    """Yield the mistakes in a syntax tree that Jinja does not report when it parses.

    ``in_branches`` asks for unknown filters and tests in branches, too, which Jinja
    reports when they are taken. A branch under ``{% if 'x' is filter %}`` is left out.
    ``in_arguments`` asks for those that ``map`` and ``select`` are given, which Jinja reports
    when they run.
    """
    if in_branches:
        yield from _unknown_names(tree, environment, in_arguments)
    yield from _stray(tree, False)


def _unknown_names(node: nodes.Node, environment: Any, in_arguments: bool) -> Iterator[Mistake]:
    if isinstance(node, nodes.Filter | nodes.Test):
        for kind, name, line in [_own_name(node), *(_given_name(node) if in_arguments else ())]:
            if name not in (environment.filters if kind == "filter" else environment.tests):
                yield unknown(kind, name, environment, line)
    if isinstance(node, _BRANCHES) and _asks_for_names(node.test):
        return
    for child in node.iter_child_nodes():
        yield from _unknown_names(child, environment, in_arguments)


def _own_name(node: nodes.Filter | nodes.Test) -> tuple[str, str, int]:
    return type(node).__name__.lower(), node.name, node.lineno


def _given_name(node: nodes.Filter | nodes.Test) -> Iterator[tuple[str, str, int]]:
    """Yield the name that a filter is given as a text, as in ``map('upper')``."""
    kind, place = _NAMED.get(node.name, ("", 0)) if isinstance(node, nodes.Filter) else ("", 0)
    given = node.args[place] if kind and len(node.args) > place else None
    if isinstance(given, nodes.Const) and isinstance(given.value, str):
        yield kind, given.value, given.lineno


def _asks_for_names(test: nodes.Node) -> bool:
    tests = [test] if isinstance(test, nodes.Test) else test.find_all(nodes.Test)
    return any(one.name in ("filter", "test") for one in tests)


def _stray(node: nodes.Node, in_loop: bool) -> Iterator[Mistake]:
    """Yield loop controls outside of a loop, and slices in a tuple."""
    if isinstance(node, nodes.Tuple) and any(isinstance(item, nodes.Slice) for item in node.items):
        yield Mistake("a slice cannot stand in a tuple", "write one slice in the brackets", node.lineno)
    name = type(node).__name__.lower()
    if name in ("break", "continue") and not in_loop:
        yield Mistake(f"{{% {name} %}} outside of a loop", None, node.lineno, rf"\b({name})\b")
    for field, value in node.iter_fields():
        within = in_loop and not isinstance(node, _OUTSIDE_OF_LOOPS)
        if isinstance(node, nodes.For):
            within = field == "body" or (in_loop and not node.recursive)
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, nodes.Node):
                yield from _stray(child, within)


def mistake_of(error: BaseException, environment: Any) -> Mistake | None:
    """Return the mistake that an error of Jinja or Python names, or None where the template is too deep for them."""
    if isinstance(error, RecursionError | MemoryError | OverflowError | SystemError):
        return None
    line = getattr(error, "lineno", None)
    message = str(getattr(error, "message", None) or getattr(error, "msg", None) or error)
    if found := unknown_in_message(message, environment, line):
        return found
    if isinstance(error, SyntaxError):
        # A line of the code that Jinja wrote, which says nothing about the template.
        is_deep = any(word in message for word in _TOO_DEEP)
        character = re.search(r"character '(.)'", message)
        pattern = f"({re.escape(character[1])})" if character else None
        return None if is_deep else Mistake(f"Jinja cannot compile this: {message}", pattern=pattern)
    if "integer string conversion" in message:
        return Mistake("an integer has more than 4,300 digits", "write a smaller number", line, r"(\w{3000,})")
    return Mistake(message or type(error).__name__, None, line)
