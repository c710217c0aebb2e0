"""A call that streams or not by a flag: which side of the flag's branches an expression stands on.

Rule: a side is certain inside ``if flag:``, its ``else``, and after a branch that always leaves.
"""

from __future__ import annotations

from typing import Any, Final

import libcst as cst

from .source import Source, bound, constant_of

_LEAVES: Final = (cst.Return, cst.Raise, cst.Continue, cst.Break)


def constant_flag(source: Source, node: Any) -> Any:
    """Return True, False or None for a flag that is a literal, or a name bound once to one; ``...`` for any other.

    >>> from .source import Source
    >>> constant_flag(Source("x = 1", "a.py"), None)
    Ellipsis
    """
    value = constant_of(node)
    if value is ... and isinstance(node, cst.Name):
        found = source.bindings(node)
        if len(found) == 1 and isinstance(found[0], cst.Name):
            kind, given, _ = bound(source, found[0])
            value = constant_of(given) if kind == "value" and given is not None else ...
    return value if value in (True, False, None) else ...


def side_of(source: Source, node: Any, flag: str) -> bool | None:
    """Return the value that a flag has where a node stands, None where it may have either."""
    inner = node
    for outer in source.ancestors(node):
        if isinstance(outer, cst.FunctionDef | cst.Lambda | cst.ClassDef):
            break
        if isinstance(outer, cst.If | cst.IfExp) and (truth := _truth(outer.test, flag)) is not None:
            if inner is outer.body:
                return truth
            if inner is outer.orelse:
                return not truth
        body = getattr(outer, "body", None)
        if isinstance(body, list | tuple) and inner in body:
            for before in body[: list(body).index(inner)]:
                if isinstance(before, cst.If) and before.orelse is None and _leaves(before.body):
                    truth = _truth(before.test, flag)
                    if truth is not None:
                        return not truth
        inner = outer
    return None


def _truth(test: Any, flag: str) -> bool | None:
    """Return what a flag is where a test holds, None for a test of anything else."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        inner = _truth(test.expression, flag)
        return None if inner is None else not inner
    return True if isinstance(test, cst.Name) and test.value == flag else None


def _leaves(block: Any) -> bool:
    last = block.body[-1] if block.body else None
    if isinstance(last, cst.SimpleStatementLine):
        return isinstance(last.body[-1], _LEAVES)
    return isinstance(last, _LEAVES)
