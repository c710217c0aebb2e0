"""Functions of the module: who calls them, what they return, which argument is which parameter.

Rule: a function may be followed where every use of its name is a call in this module. One
that other modules may use is not: their calls cannot be changed from here.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import libcst as cst

from .source import Source, constant_of, dotted

#: Decorators that give the function's result on as it is.
_CLEAR: Final = frozenset(
    {"retry", "on_exception", "lru_cache", "cache", "staticmethod", "classmethod", "traceable", "observe",
     "timeit", "wraps", "override", "sleep_and_retry", "limits"}
)  # fmt: skip


class Functions:
    """Looks functions of one source up. ``outside``: names that other files take from this module."""

    def __init__(self, source: Source, outside: Collection[str] = ()) -> None:
        self.source = source
        self.exported = frozenset(outside) | _exports(source)

    def returns_of(self, function: cst.FunctionDef) -> list[cst.Return]:
        """Return the return statements of a function itself."""
        return [n for n in self.source.nodes if isinstance(n, cst.Return) and self.source.function_of(n) is function]

    def calls_of(self, function: cst.FunctionDef) -> list[cst.Call] | str:
        """Return every call of a function, or why they cannot all be seen."""
        name = function.name.value
        if reason := self._obstacle(function):
            return reason
        owner = self.source.function_of(function)
        if isinstance(owner, cst.ClassDef):
            uses: list[Any] = list(self.source.attributes.get(name, ()))
            if not all(_is_own(use, self.source, owner) for use in uses):
                return f"{name} is used on an object that may be another"
            if not uses:
                return f"no call of {name} is seen here"
            if sum(isinstance(n, cst.FunctionDef) and n.name.value == name for n in self.source.nodes) > 1:
                return f"{name} is defined more than once"
        else:
            uses = list(self.source.readers(function, name))
            if any(self.source.bindings(use) != [function] for use in uses):
                return f"{name} is bound more than once"
            if not uses:
                return f"{name} gives it back, and no call of it is seen here"
        return self._as_calls(uses, name)

    def calls_of_lambda(self, node: cst.Lambda) -> list[cst.Call] | str:
        """Return every call of a lambda that is bound to a name, or why they are not all known."""
        outer = self.source.parent(node)
        if not isinstance(outer, cst.Assign) or len(outer.targets) != 1:
            return "a lambda gives it away"
        target = outer.targets[0].target
        if (
            not isinstance(target, cst.Name)
            or self.source.bindings(target) != [target]
            or target.value in self.exported
        ):
            return "a lambda gives it away"
        return self._as_calls(list(self.source.readers(target, target.value)), target.value)

    def _as_calls(self, uses: list[Any], name: str) -> list[cst.Call] | str:
        calls = []
        for use in uses:
            call = self.source.parent(use)
            if not (isinstance(call, cst.Call) and call.func is use):
                return f"{name} itself is passed on (line {self.source.line(use)})"
            calls.append(call)
        return calls

    def _obstacle(self, function: cst.FunctionDef) -> str:
        name = function.name.value
        for decorator in function.decorators:
            told = dotted(
                decorator.decorator.func if isinstance(decorator.decorator, cst.Call) else decorator.decorator
            )[-1]
            if told not in _CLEAR or "result" in self.source.code(decorator.decorator):
                return f"{name} is decorated with {told}"
        if any(isinstance(n, cst.Yield) and self.source.function_of(n) is function for n in self.source.nodes):
            return f"{name} is a generator"
        if name in self.exported:
            return f"{name} is used by other modules"
        if name.startswith("__") and name.endswith("__"):
            return f"{name} is called by Python itself"
        return ""

    def parameter(self, arg: cst.Arg, call: cst.Call) -> tuple[cst.Param, list[Any]] | str:
        """Return the parameter that an argument goes to, and what the other calls give it; or why not."""
        told = f"it is passed to {'.'.join(dotted(call.func))}"
        found = self.source.bindings(call.func) if isinstance(call.func, cst.Name) else []
        if len(found) != 1 or not isinstance(found[0], cst.FunctionDef) or arg.star:
            return told
        function = found[0]
        calls = self.calls_of(function)
        if isinstance(calls, str):
            return f"{told}: {calls}"
        param = _param_of(arg, call, function)
        if param is None:
            return told
        others = []
        for other in calls:
            given = [a for a in other.args if _param_of(a, other, function) is param]
            if not given and param.default is not None:
                continue
            if len(given) != 1 or any(a.star for a in other.args):
                return told
            others.append(given[0].value)
        return param, others


def _param_of(arg: cst.Arg, call: cst.Call, function: cst.FunctionDef) -> cst.Param | None:
    every = [*function.params.posonly_params, *function.params.params]
    if arg.keyword:
        named = [*every, *function.params.kwonly_params]
        return next((param for param in named if param.name.value == arg.keyword.value), None)
    number = list(call.args).index(arg)
    if any(a.star for a in call.args) or number >= len(every):
        return None
    return every[number]


def _is_own(use: cst.Attribute, source: Source, owner: cst.ClassDef) -> bool:
    return (
        isinstance(use.value, cst.Name)
        and use.value.value in ("self", "cls", owner.name.value)
        and (source.enclosing(use, cst.ClassDef) is owner or source.bindings(use.value) == [owner])
    )


def _exports(source: Source) -> frozenset[str]:
    """Return the names of ``__all__``."""
    found: set[str] = set()
    for node in source.module.body:
        for statement in node.body if isinstance(node, cst.SimpleStatementLine) else ():
            if isinstance(statement, cst.Assign) and any(dotted(t.target) == ("__all__",) for t in statement.targets):
                value = statement.value
                if isinstance(value, cst.List | cst.Tuple):
                    found |= {str(constant_of(e.value)) for e in value.elements}
    return frozenset(found)
