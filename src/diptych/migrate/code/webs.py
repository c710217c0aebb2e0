"""Which bindings of a variable a name may read: the bindings that reach it.

Rule: never too few. Where control flow is not plain (closures, loops, handlers) more
bindings are said to reach a name than do; a caller that needs one value then finds two. A ``with`` is taken
to let exceptions through, unless its name is one of those that are known to swallow them.
"""

from __future__ import annotations

from typing import Final

import libcst as cst

from .source import Node, Source, dotted

_COMPOUND = (cst.If, cst.For, cst.While, cst.Try, cst.TryStar, cst.With, cst.FunctionDef, cst.ClassDef, cst.Match)

#: What goes on after an exception in its body.
_SWALLOWS: Final = frozenset({"suppress", "raises", "assertRaises", "assertRaisesRegex", "warns"})


def reaching(source: Source, load: cst.Name) -> list[Node]:
    """Return the bindings whose value a name may read, in the order of the text."""
    every = source.bindings(load)
    if len(every) < 2:
        return every
    owner = source.function_of(every[0])
    if any(source.function_of(binding) is not owner for binding in every) or source.function_of(load) is not owner:
        return every
    found: dict[Node, None] = {}
    _collect(source, load, every, found)
    return sorted(found, key=every.index) or every


def _collect(source: Source, load: Node, every: list[Node], found: dict[Node, None]) -> None:
    """Walk back from a name: earlier statements of its block, then the block around."""
    node: Node = load
    while True:
        block = source.parent(node)
        body = getattr(block, "body", None)
        if isinstance(body, list | tuple) and isinstance(node, cst.BaseStatement | cst.BaseSmallStatement):
            for before in reversed(body[: list(body).index(node)]):
                ends, is_bound = _ends(source, before, every)
                found.update(dict.fromkeys(ends))
                if is_bound:
                    return
        if isinstance(block, cst.For | cst.While):
            header = [b for b in every if isinstance(block, cst.For) and source.inside(b, block.target)]
            found.update(dict.fromkeys(header))
            if header and node is block.body:
                return
            found.update(dict.fromkeys(b for b in every if source.inside(b, block)))
        elif isinstance(block, cst.With) and node is block.body:
            header = [b for b in every if any(source.inside(b, item) for item in block.items)]
            found.update(dict.fromkeys(header))
            if header:
                return
        elif isinstance(block, cst.Try | cst.TryStar) and node is not block.body:
            found.update(dict.fromkeys(b for b in every if source.inside(b, block)))
        elif isinstance(block, cst.FunctionDef | cst.Lambda | cst.ClassDef):
            found.update(dict.fromkeys(b for b in every if isinstance(b, cst.Param)))
            return
        elif isinstance(block, cst.Module):
            return
        elif isinstance(block, cst.If | cst.ExceptHandler | cst.NamedExpr | cst.BooleanOperation | cst.IfExp):
            found.update(dict.fromkeys(b for b in every if _beside(source, b, block, node)))
        node = block


def _ends(source: Source, statement: Node, every: list[Node]) -> tuple[list[Node], bool]:
    """Return the bindings that may hold after a statement, and whether one of them always does."""
    inner = [b for b in every if source.inside(b, statement)]
    if not inner or not isinstance(statement, _COMPOUND):
        return inner, bool(inner)
    if isinstance(statement, cst.If):
        others = statement.orelse.body if isinstance(statement.orelse, cst.Else) else statement.orelse
        ways = [_block(source, way, inner) for way in (statement.body, others)]
        header = [b for b in inner if source.inside(b, statement.test)]
        return [*header, *ways[0][0], *ways[1][0]], ways[0][1] and ways[1][1]
    if isinstance(statement, cst.Try) and not (statement.finalbody and _within(source, inner, statement.finalbody)):
        return _after_try(source, statement, inner)
    if isinstance(statement, cst.With):
        return _after_with(source, statement, inner)
    return inner, statement in inner  # a function or a class, and nothing sure of what runs more often than once


def _after_try(source: Source, statement: cst.Try, inner: list[Node]) -> tuple[list[Node], bool]:
    """Return what may hold after a ``try``: a handler that binds nothing leaves whatever its body had bound."""
    ends, is_bound = _block(source, statement.orelse.body if statement.orelse else None, inner)
    if not is_bound:
        own, is_bound = _block(source, statement.body, inner)
        ends = [*ends, *own]
    for handler in statement.handlers:
        own, is_own = _block(source, handler.body, inner)
        ends = [*ends, *own, *([] if is_own else _within(source, inner, statement.body))]
        is_bound = is_bound and is_own
    return ends, is_bound


def _block(source: Source, block: Node | None, every: list[Node]) -> tuple[list[Node], bool]:
    """Return the bindings that may hold at the end of a block; one that leaves has no end."""
    statements: list[Node] = [block] if isinstance(block, cst.If) else list(getattr(block, "body", ()))
    if statements and _leaves(statements[-1]):
        return [], True
    found: list[Node] = []
    for statement in reversed(statements):
        ends, is_bound = _ends(source, statement, every)
        found += ends
        if is_bound:
            return found, True
    return found, False


def _leaves(statement: Node) -> bool:
    last = statement.body[-1] if isinstance(statement, cst.SimpleStatementLine) else statement
    return isinstance(last, cst.Return | cst.Raise | cst.Continue | cst.Break)


def _within(source: Source, bindings: list[Node], node: Node) -> list[Node]:
    return [binding for binding in bindings if source.inside(binding, node)]


def _after_with(source: Source, statement: cst.With, inner: list[Node]) -> tuple[list[Node], bool]:
    """Return what may hold after a ``with``, which lets exceptions through but for the known ones."""
    header = [b for b in inner if any(source.inside(b, item) for item in statement.items)]
    if any(_SWALLOWS.intersection(dotted(getattr(item.item, "func", None))) for item in statement.items):
        return inner, bool(header)
    ends, is_bound = _block(source, statement.body, inner)
    return [*header, *ends], is_bound or bool(header)


def _beside(source: Source, binding: Node, block: Node, node: Node) -> bool:
    """Tell whether a binding stands in a header of a block whose body holds the node."""
    if isinstance(block, cst.If):
        return source.inside(binding, block.test)
    if isinstance(block, cst.ExceptHandler):
        return block.name is not None and source.inside(binding, block.name)
    return source.inside(binding, block) and not source.inside(binding, node)
