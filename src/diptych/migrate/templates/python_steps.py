"""What a Python source does to one variable, statement by statement.

Rule: a variable is followed where every binding and change of it is a statement of one block, in
the order in which they stand: ``p = …``, then ``p += …``, ``p = p + …``, ``p = p.partial(…)``,
``p.append(…)`` and ``p.extend(…)``. A change in a branch, a loop or another function is not
followed: what it does depends on what runs.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from .python_names import Names, Variable

Kind = Literal["bind", "add", "append", "extend"]
_METHODS: Final[dict[str, Kind]] = {"append": "append", "extend": "extend"}


class Step(NamedTuple):
    """One statement: the new value, or what is added to the value so far."""

    statement: ast.stmt
    kind: Kind
    value: ast.expr


def leaves_of(node: ast.expr) -> list[ast.expr]:
    """Return the operands of a sum from left to right; an operand in parentheses is one.

    >>> [ast.unparse(leaf) for leaf in leaves_of(ast.parse("a + b + (c + d)", mode="eval").body)]
    ['a', 'b', 'c + d']
    """
    found: list[ast.expr] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        found.append(node.right)
        node = node.left
    return [node, *reversed(found)]


class Steps:
    """The variables of one module that are followed, each with its steps.

    ``is_known`` tells a first value that a reader can take: what another name holds, or a function
    returns, may be changed elsewhere.
    """

    def __init__(self, names: Names, is_known: Callable[[ast.expr], bool]) -> None:
        self._names = names
        self._is_known = is_known
        self._changes: dict[Variable, list[ast.Call]] = {}
        for node in names.nodes:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
                if isinstance(node.func.value, ast.Name):
                    self._changes.setdefault(names.variable(node.func.value), []).append(node)  # type: ignore[arg-type]
        found = {variable: self._find(variable) for variable in names.bindings}
        self._of: dict[Variable, list[Step]] = {variable: steps for variable, steps in found.items() if steps}
        #: The statements that are steps, with all that stands in them, but for each first one.
        self.inner = {node for steps in self._of.values() for step in steps[1:] for node in ast.walk(step.statement)}

    def of(self, variable: Variable | None) -> list[Step]:
        """Return the steps of a variable; none where it is bound once, or not followed."""
        return self._of.get(variable, []) if variable is not None else []

    def is_step(self, node: ast.AST) -> bool:
        """Return whether a call or statement is a change that is followed."""
        return node in self.inner

    def before(self, node: ast.AST, variable: Variable) -> ast.stmt | None:
        """Return the statement beside the steps of a variable that a node stands in; None where it is elsewhere."""
        block = self._block(self.of(variable)[0].statement)
        above: ast.AST | None = node
        while above is not None:
            if any(above is one for one in block):
                return above if isinstance(above, ast.stmt) else None
            if above is not node and isinstance(
                above, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
            ):
                return None
            above = self._names.parents.get(above)
        return None

    def _block(self, statement: ast.stmt) -> list[ast.stmt]:
        above = self._names.parents.get(statement)
        for name in ("body", "orelse", "finalbody"):
            block = getattr(above, name, None)
            if isinstance(block, list) and any(statement is one for one in block):
                return block
        return []

    def _find(self, variable: Variable) -> list[Step]:
        bindings, changes = self._names.bindings[variable], self._changes.get(variable, [])
        first = self._names.parents.get(bindings[0].node)
        if (
            len(bindings) + len(changes) < 2
            or bindings[0].value is None
            or not isinstance(first, ast.Assign | ast.AnnAssign)
        ):
            return []
        if not self._is_known(bindings[0].value):
            return []
        steps = [Step(first, "bind", bindings[0].value)]
        block = self._block(first)
        for node in [*(binding.node for binding in bindings[1:]), *changes]:
            step = self._step(node, variable)
            if step is None or not any(step.statement is one for one in block) or step.statement.lineno <= first.lineno:
                return []
            steps.append(step)
        return [steps[0], *sorted(steps[1:], key=lambda step: (step.statement.lineno, step.statement.col_offset))]

    def _step(self, node: ast.AST, variable: Variable) -> Step | None:
        statement = self._names.parents.get(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(statement, ast.Expr):
            is_plain = len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred)
            return Step(statement, _METHODS[node.func.attr], node.args[0]) if is_plain else None
        if not isinstance(node, ast.Name):
            return None
        if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add):
            return Step(statement, "add", statement.value)
        is_one = isinstance(statement, ast.Assign) and len(statement.targets) == 1
        if is_one and isinstance(statement, ast.Assign) and self._goes_on(statement.value, variable):
            return Step(statement, "bind", statement.value)
        return None

    def _goes_on(self, value: ast.expr, variable: Variable) -> bool:
        """True for a value that is made of the variable itself: a sum that begins with it, or a partial of it."""
        if isinstance(value, ast.BinOp):
            value = leaves_of(value)[0]
        elif isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "partial":
            value = value.func.value
        else:
            return False
        return isinstance(value, ast.Name) and self._names.variable(value) == variable
