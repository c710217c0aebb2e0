"""What the names of a Python source are bound to, scope by scope; nothing is run.

Rule: a variable is a name in the scope that Python would look it up in, or a chain such as
``self.prompt`` or ``prompts["a"]``. Anything but one plain assignment makes it unknown.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeAlias

#: A scope and a name, or a chain of attributes and constant keys.
Variable: TypeAlias = tuple[ast.AST, str]
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_NAMED = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_SCOPES = (*_FUNCTIONS, ast.ClassDef, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Binding:
    """One place where a variable is bound: the target, and its value where it is one plain assignment."""

    def __init__(self, node: ast.AST, value: ast.expr | None) -> None:
        self.node = node
        self.value = value


class Names:
    """The scopes and bindings of one module."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.nodes = list(ast.walk(tree))
        self.parents = {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}
        self._outer = {
            (self.scope(node), name): isinstance(node, ast.Global)
            for node in self.nodes
            if isinstance(node, ast.Global | ast.Nonlocal)
            for name in node.names
        }
        self.bindings: dict[Variable, list[Binding]] = {}
        for node in self.nodes:
            for target, value in _bound_by(node):
                self._bind(node, target, value)

    def scope(self, node: ast.AST) -> ast.AST:
        """Return the function, class, comprehension or module that a node stands in."""
        above = self.parents.get(node)
        while above is not None and not isinstance(above, _SCOPES):
            above = self.parents.get(above)
        return above if above is not None else self.tree

    def _bind(self, node: ast.AST, target: ast.AST | str, value: ast.expr | None) -> None:
        if isinstance(target, str):
            scope = self.scope(node) if not isinstance(node, ast.arg) else self.parents[self.parents[node]]
            self.bindings.setdefault(self._declared(scope, target), []).append(Binding(node, None))
            return
        for part in ast.walk(target):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                found = self._declared(self.scope(part), part.id)
            elif isinstance(part, ast.Attribute | ast.Subscript) and isinstance(part.ctx, ast.Store):
                chain = self.variable(part)
                if chain is None:
                    continue
                found = chain
            else:
                continue
            self.bindings.setdefault(found, []).append(Binding(part, value if part is target else None))

    def _declared(self, scope: ast.AST, name: str) -> Variable:
        """Return the variable that an assignment in a scope binds."""
        while (scope, name) in self._outer:
            is_global = self._outer[scope, name]
            scope = self.tree if is_global else self._function_above(scope)
        return scope, name

    def _function_above(self, scope: ast.AST) -> ast.AST:
        found = self.scope(scope)
        while found is not self.tree and not isinstance(found, _FUNCTIONS):
            found = self.scope(found)
        return found

    def variable(self, node: ast.AST) -> Variable | None:
        """Return the variable that an expression names, None where it is not a name or chain."""
        if isinstance(node, ast.Name):
            return self._looked_up(node)
        parts: list[str] = []
        root = node
        while not isinstance(root, ast.Name):
            if isinstance(root, ast.Attribute):
                parts.append(f".{root.attr}")
            elif isinstance(root, ast.Subscript) and isinstance(root.slice, ast.Constant):
                parts.append(f"[{root.slice.value!r}]")
            else:
                return None
            root = root.value
        rest = "".join(reversed(parts))
        owner = self._class_of(node) if root.id in ("self", "cls") else self._class_named(root)
        if owner is not None and rest.startswith("."):
            return owner, rest[1:]
        return self._looked_up(root)[0], root.id + rest

    def _class_named(self, name: ast.Name) -> ast.AST | None:
        """Return the class of this module that a name stands for."""
        bindings = self.bindings.get(self._looked_up(name), [])
        return bindings[0].node if len(bindings) == 1 and isinstance(bindings[0].node, ast.ClassDef) else None

    def _class_of(self, node: ast.AST) -> ast.AST:
        found = self.scope(node)
        while found is not self.tree and not isinstance(found, ast.ClassDef):
            found = self.scope(found)
        return found

    def _looked_up(self, name: ast.Name) -> Variable:
        """Return the variable of a name that is read: the nearest scope that binds it, classes outside left out."""
        scope = first = self.scope(name)
        while True:
            variable = self._declared(scope, name.id)
            if variable in self.bindings and (scope is first or not isinstance(scope, ast.ClassDef)):
                return variable
            if scope is self.tree:
                return scope, name.id
            scope = self.scope(scope)

    def values(self, variable: Variable | None) -> list[ast.expr | None]:
        """Return what a variable is bound to, None for what is no plain assignment."""
        return [binding.value for binding in self.bindings.get(variable, ())] if variable else []

    def qualified(self, node: ast.AST, name: str) -> str:
        """Return a name with those of the functions and classes around it: ``Bot.ask.prompt``."""
        names, scope = [name], self.scope(node)
        while scope is not self.tree:
            if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.append(scope.name)
            scope = self.scope(scope)
        return ".".join(reversed(names))


def _bound_by(node: ast.AST) -> Iterator[tuple[ast.AST | str, ast.expr | None]]:
    """Yield what a node binds: targets with their values, or names."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield target, node.value if len(node.targets) == 1 else None
    elif isinstance(node, ast.AnnAssign):
        if node.value is not None:
            yield node.target, node.value
    elif isinstance(node, ast.AugAssign | ast.For | ast.AsyncFor | ast.NamedExpr | ast.comprehension):
        yield node.target, None
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        yield node.optional_vars, None
    elif isinstance(node, ast.Delete):
        for target in node.targets:
            yield target, None
    elif isinstance(node, ast.arg):
        yield node.arg, None
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar | _NAMED) and node.name:
        yield node.name, None


def assignments(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield what is assigned to what; tuples in pairs."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Tuple | ast.List) and isinstance(node.value, ast.Tuple | ast.List):
                yield from zip(target.elts, node.value.elts, strict=False)
            yield target, node.value
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
        yield node.target, node.value


def choices(value: ast.expr) -> list[ast.expr]:
    """Return the expressions of which a value is one."""
    if isinstance(value, ast.IfExp):
        return [value.body, value.orelse]
    return value.values if isinstance(value, ast.BoolOp) else [value]


def changed_by(node: ast.AST) -> list[ast.expr]:
    """Return the targets that a statement writes to."""
    if isinstance(node, ast.Assign | ast.Delete):
        return node.targets
    if isinstance(node, ast.AugAssign | ast.AnnAssign | ast.For | ast.AsyncFor):
        return [node.target]
    if isinstance(node, ast.withitem) and node.optional_vars is not None:
        return [node.optional_vars]
    return []
