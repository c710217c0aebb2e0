"""Which bindings of a variable a name may read: the bindings that reach it.

Rule: never too few. Where control flow is not plain (closures, loops, handlers) more
bindings are said to reach a name than do; a caller that needs one value then finds two.
"""

from __future__ import annotations

import libcst as cst

from .source import Node, Source

_COMPOUND = (cst.If, cst.For, cst.While, cst.Try, cst.TryStar, cst.With, cst.FunctionDef, cst.ClassDef, cst.Match)


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
                inner = [b for b in every if source.inside(b, before)]
                found.update(dict.fromkeys(inner))
                if inner and not isinstance(before, _COMPOUND):
                    return
                if inner and _is_direct(source, before, inner):
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


def _is_direct(source: Source, statement: Node, inner: list[Node]) -> bool:
    """Tell whether a ``with`` always binds: its header, or a plain statement of its body."""
    if isinstance(statement, cst.FunctionDef | cst.ClassDef):
        return statement in inner
    if isinstance(statement, cst.With):
        return any(
            source.enclosing(b, cst.SimpleStatementLine, cst.With) is statement
            or source.parent(source.enclosing(b, cst.SimpleStatementLine) or b) is statement.body
            for b in inner
        )
    return False


def _beside(source: Source, binding: Node, block: Node, node: Node) -> bool:
    """Tell whether a binding stands in a header of a block whose body holds the node."""
    if isinstance(block, cst.If):
        return source.inside(binding, block.test)
    if isinstance(block, cst.ExceptHandler):
        return block.name is not None and source.inside(binding, block.name)
    return source.inside(binding, block) and not source.inside(binding, node)
