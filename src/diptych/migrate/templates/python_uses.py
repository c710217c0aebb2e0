"""What a Python source does with its prompts: every composition and change is accounted for.

Rule: a definition is what it says only if nothing changes it afterwards. ``+``, ``append`` and
their like, assignments to a part, copies, further names and further bindings are found by what
they stand on, through names, parameters, containers and the results of functions. What makes
another prompt is refused with its place; what changes one spoils its definition.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from .python_names import Names, Variable, assignments, changed_by, choices
from .python_steps import Steps

_CHANGES: Final = {
    "append", "extend", "insert", "pop", "popitem", "remove", "clear", "reverse", "sort", "update", "setdefault",
    "add", "discard", "__iadd__", "__setitem__", "__setattr__", "__delitem__", "__delattr__",
}  # fmt: skip
#: Methods and functions that return another prompt.
_DERIVES: Final = {
    "partial", "copy", "model_copy", "deepcopy", "__copy__", "__deepcopy__", "__add__", "__radd__", "model_construct",
    "with_config", "configurable_fields", "configurable_alternatives",
}  # fmt: skip
#: Functions that put together what they are given.
_JOINS: Final = {"add", "iadd", "concat", "iconcat", "reduce", "sum"}
_COPIES: Final = {"copy", "deepcopy", "cast", "replace"}
#: Functions that do not change a list that they are given.
_HARMLESS: Final = {
    "len", "print", "str", "repr", "list", "tuple", "sorted", "isinstance", "enumerate", "zip", "dict", "set", "any",
    "all", "min", "max", "sum", "map", "filter", "reversed", "type", "id", "iter", "format", "join",
}  # fmt: skip
_HINT: Final = "write the whole prompt in one definition"


class Found(NamedTuple):
    """What is refused: the node, the name that it concerns, the reason, and what to do."""

    node: ast.AST
    name: str
    reason: str
    hint: str = _HINT


class Uses:
    """The uses of the prompts of one module; ``is_prompt`` tells a call or sum that defines one,
    ``is_annotation`` an annotation of one; ``steps`` are the changes that a reader follows."""

    def __init__(
        self,
        names: Names,
        is_prompt: Callable[[ast.expr], bool],
        is_annotation: Callable[[ast.expr], bool],
        steps: Steps,
    ) -> None:
        self.names = names
        self._steps = steps
        self._is_prompt = is_prompt
        self._is_annotation = is_annotation
        self.found: list[Found] = []
        #: Definitions that are a piece of a composition which is refused.
        self.consumed: set[ast.AST] = set()
        self._prompts: set[Variable] = set()
        self._holders: set[Variable] = set()
        self._parts: set[Variable] = set()
        self._returning: set[str] = set()
        self._same: dict[Variable, Variable] = {}
        self._spoiled: set[Variable] = set()
        self._changed: set[Variable] = set()
        self._functions = {
            node.name: node for node in names.nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        self._spread()
        for node in names.nodes:
            self._look(node)

    # what holds a prompt ---------------------------------------------------------------------

    def _spread(self) -> None:
        """Find every variable that holds a prompt, until no further one is found."""
        size = -1
        known: tuple[set[Any], ...] = (self._prompts, self._holders, self._parts, self._returning)
        while size != (size := sum(map(len, known))):
            for node in self.names.nodes:
                for target, value in assignments(node):
                    self._assign(target, value)
                if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
                    self._take_each(node.target, node.iter)
                elif isinstance(node, ast.arg) and node.annotation is not None and self._is_annotation(node.annotation):
                    self._prompts.add((self.names.parents[self.names.parents[node]], node.arg))
                elif isinstance(node, ast.Return) and node.value is not None and self.is_value(node.value):
                    function = self.names.scope(node)
                    self._returning |= {function.name} if hasattr(function, "name") else set()
                elif isinstance(node, ast.Call):
                    self._pass_on(node)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        variable = self.names.variable(target)
        if variable is None:
            return
        if self.is_value(value):
            self._prompts.add(variable)
        elif isinstance(value, ast.Dict | ast.List | ast.Tuple | ast.Set) and any(
            isinstance(part, ast.expr) and self.is_value(part) for part in ast.iter_child_nodes(value)
        ):
            self._holders.add(variable)
        elif isinstance(value, ast.Attribute | ast.Subscript) and self._is_prompt_or_part(value):
            self._take_part(target, value)
        for root in filter(None, map(self._root, choices(value))):
            self._join(variable, root)

    def _take_each(self, target: ast.expr, many: ast.expr) -> None:
        """Note what a loop runs over: the prompts of a list or mapping, or the parts of a prompt."""
        if (
            isinstance(many, ast.Call)
            and isinstance(many.func, ast.Attribute)
            and many.func.attr in ("values", "items")
        ):
            many = many.func.value
        held = self.names.variable(many)
        if held in self._holders and held is not None:
            for name in target.elts if isinstance(target, ast.Tuple) else [target]:
                if (variable := self.names.variable(name)) is not None:
                    self._prompts.add(variable)
                    self._join(variable, held)
        elif self._is_prompt_or_part(many):
            self._take_part(target, many)

    def _take_part(self, target: ast.expr, whole: ast.expr) -> None:
        """Note that a variable is a part of a prompt."""
        variable, root = self.names.variable(target), self._root(whole)
        if variable is not None:
            self._parts.add(variable)
            if root is not None:
                self._join(variable, root)

    def _pass_on(self, call: ast.Call) -> None:
        """Join the arguments of a call with the parameters of the function that it calls."""
        function = self._functions.get(call.func.id) if isinstance(call.func, ast.Name) else None
        if function is None:
            return
        positional = [*function.args.posonlyargs, *function.args.args]
        given = list(zip([one.arg for one in positional], call.args, strict=False))
        given += [(keyword.arg, keyword.value) for keyword in call.keywords if keyword.arg]
        for name, value in given:
            parameter: Variable = (function, name)
            if self.is_value(value):
                self._prompts.add(parameter)
            if (root := self._root(value)) is not None:
                self._join(parameter, root)

    def is_value(self, node: ast.expr | None) -> bool:
        """Return whether an expression is a prompt, as far as can be seen."""
        waiting = [node]
        while waiting:
            one = waiting.pop()
            if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Add):
                waiting += [one.left, one.right]
            elif isinstance(one, ast.IfExp):
                waiting += [one.body, one.orelse]
            elif isinstance(one, ast.BoolOp):
                waiting += one.values
            elif isinstance(one, ast.NamedExpr):
                waiting.append(one.value)
            elif isinstance(one, ast.Call):
                if self._is_made(one):
                    return True
                waiting += self._made_of(one)
            elif isinstance(one, ast.Subscript) and isinstance(one.slice, ast.Slice):
                waiting.append(one.value)
            elif one is not None and self._is_held(one):
                return True
        return False

    def _is_made(self, call: ast.Call) -> bool:
        is_local = isinstance(call.func, ast.Name) and call.func.id in self._returning
        return self._is_prompt(call) or is_local

    def _made_of(self, call: ast.Call) -> list[ast.expr | None]:
        """Return what a call copies or derives its result from."""
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        copied: list[ast.expr | None] = [*call.args] if name in _COPIES else []
        if isinstance(call.func, ast.Attribute) and name in _DERIVES:
            copied.append(call.func.value)
        return copied

    def _is_held(self, node: ast.expr) -> bool:
        variable = self.names.variable(node)
        if variable in self._prompts:
            return True
        return isinstance(node, ast.Subscript) and self.names.variable(node.value) in self._holders

    # variables that are one ------------------------------------------------------------------

    def _root(self, node: ast.expr) -> Variable | None:
        """Return the variable that an expression is, or is a part of."""
        while True:
            variable = self.names.variable(node)
            if variable is not None and (variable in self.names.bindings or isinstance(node, ast.Name)):
                return None if variable[1] in ("self", "cls") else variable
            if not isinstance(node, ast.Attribute | ast.Subscript):
                return None
            node = node.value

    def _one(self, variable: Variable) -> Variable:
        while (up := self._same.get(variable, variable)) != variable:
            variable = up
        return variable

    def _join(self, left: Variable, right: Variable) -> None:
        a, b = self._one(left), self._one(right)
        if a != b:
            self._same[a] = b

    # what is done ----------------------------------------------------------------------------

    def _look(self, node: ast.AST) -> None:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            self._look_at_sum(node)
        elif isinstance(node, ast.Call):
            self._look_at_call(node)
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) and self.is_value(node.value):
            if isinstance(node.ctx, ast.Load):
                self._refuse(node, "a part of another prompt is cut out when it runs")
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            self._look_at_names(node)
        for target in changed_by(node):
            self._look_at_target(node, target)

    def _look_at_sum(self, node: ast.BinOp) -> None:
        """Refuse a sum of prompts, once: at its outermost +."""
        above = self.names.parents.get(node)
        is_inner = isinstance(above, ast.BinOp) and isinstance(above.op, ast.Add)
        if is_inner or self._is_prompt(node) or not self.is_value(node):
            return
        waiting: list[ast.expr] = [node]
        while waiting:
            one = waiting.pop()
            if isinstance(one, ast.BinOp):
                waiting += [one.left, one.right]
            self.consumed.add(one)
        self._refuse(node, "prompts are put together by + when it runs")

    def _look_at_call(self, call: ast.Call) -> None:
        for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
            self._look_at_argument(call, argument)
        function = call.func
        name = getattr(function, "id", "")
        if getattr(function, "attr", name) in _JOINS - self._functions.keys() and any(
            map(self._is_or_holds, call.args)
        ):
            self.consumed |= {inner for argument in call.args for inner in ast.walk(argument)}
            return self._refuse(call, f"prompts are put together by {ast.unparse(function)[:40]} when it runs")
        if isinstance(function, ast.Name) and (method := self._method_named(function)) is not None:
            self._change(call, method.value, f".{method.attr}(…)")
        if name in ("setattr", "delattr") and call.args:
            self._change(call, call.args[0], f"{name}(…)")
        if self._steps.is_step(call):
            return None
        if not isinstance(function, ast.Attribute):
            is_copy = name in _COPIES - {"cast"} and any(map(self.is_value, call.args))
            return self._refuse(call, f"{name}(…) makes it of another prompt when it runs") if is_copy else None
        if function.attr in _CHANGES:
            is_name = isinstance(function.value, ast.Name | ast.Attribute)
            is_class = is_name and self._is_annotation(function.value)
            is_class = is_class or getattr(function.value, "id", "") in ("list", "object")
            changed = call.args[0] if is_class and call.args else function.value
            self._change(call, changed, f".{function.attr}(…)")
        elif function.attr in _COPIES and any(map(self.is_value, call.args)):
            self._refuse(call, f"{function.attr}(…) makes it of another prompt when it runs")
        elif function.attr in _DERIVES and self.is_value(function.value) and not self._is_prompt(call):
            self.consumed.add(function.value)
            self._refuse(call, f".{function.attr}(…) makes it of another prompt when it runs")
        return None

    def _is_or_holds(self, node: ast.expr) -> bool:
        """Return whether an expression is a prompt, or a list of some."""
        parts = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
        return any(map(self.is_value, parts)) or self.names.variable(node) in self._holders

    def _method_named(self, name: ast.Name) -> ast.Attribute | None:
        """Return the method that changes what it stands on, where a name is bound to one."""
        values = self.names.values(self.names.variable(name))
        found = values[0] if len(values) == 1 else None
        return found if isinstance(found, ast.Attribute) and found.attr in _CHANGES else None

    def _look_at_argument(self, call: ast.Call, argument: ast.expr) -> None:
        """Note a variable that a function of elsewhere is given, and may change."""
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        is_known = name in _HARMLESS or name in self._functions or name[:1].isupper() or name.startswith("from_")
        if not is_known and (root := self._root(argument)) is not None:
            self._changed.add(root)

    def _look_at_names(self, node: ast.Assign | ast.AnnAssign) -> None:
        """Refuse a further name of a prompt."""
        for target, value in assignments(node):
            if isinstance(value, ast.Name) and isinstance(target, ast.Name) and self.is_value(value):
                if self._is_defined(value):
                    self.found.append(Found(value, target.id, f"it is another name of {value.id}", "use one name"))
        further = node.targets[1:] if isinstance(node, ast.Assign) else []
        for target in further if self.is_value(node.value) else ():
            name = getattr(target, "id", getattr(target, "attr", "a prompt"))
            self.found.append(Found(target, name, "it is another name of the same prompt", "use one name"))

    def _is_defined(self, name: ast.Name) -> bool:
        """Return whether a name is bound here, and is no parameter."""
        bindings = self.names.bindings.get(self.names.variable(name) or (name, ""), [])
        return any(not isinstance(binding.node, ast.arg) for binding in bindings)

    def _look_at_target(self, node: ast.AST, target: ast.expr) -> None:
        what = "+=" if isinstance(node, ast.AugAssign) else "del" if isinstance(node, ast.Delete) else "="
        if isinstance(target, ast.Attribute | ast.Subscript) and what != "+=":
            self._change(node, target.value, f"{what} of a part of it")
        if isinstance(node, ast.AugAssign):
            if not self._steps.is_step(node):
                self._change(node, target, what)
            if not self._is_prompt_or_part(target) and self.is_value(node.value):
                self._refuse(node, "prompts are put together by += when it runs")

    def _is_prompt_or_part(self, node: ast.expr) -> bool:
        while True:
            if self.is_value(node) or self.names.variable(node) in self._parts:
                return True
            if not isinstance(node, ast.Attribute | ast.Subscript):
                return False
            node = node.value

    def _change(self, node: ast.AST, changed: ast.expr, how: str) -> None:
        """Note that a variable is changed; a prompt's definition is spoiled by it."""
        wholes = self._wholes(changed)
        self._changed.update(wholes)
        if not self._is_prompt_or_part(changed):
            return
        self.consumed |= {inner for inner in ast.walk(changed) if isinstance(inner, ast.Call)}
        name = wholes[-1][1] if wholes else f"prompt_{getattr(node, 'lineno', 1)}"
        self.found.append(Found(node, name, f"it is changed by {how} when it runs"))
        self._spoiled.update(wholes)

    def _wholes(self, node: ast.expr) -> list[Variable]:
        """Return the variables that an expression is a part of, from itself outwards."""
        found = []
        while True:
            variable = self.names.variable(node)
            if variable is not None and variable[1] not in ("self", "cls"):
                found.append(variable)
            if not isinstance(node, ast.Attribute | ast.Subscript):
                return found
            node = node.value

    def _refuse(self, node: ast.AST, reason: str) -> None:
        self.found.append(Found(node, self.name_of(node), reason))

    def name_of(self, node: ast.AST) -> str:
        """Return the name that a value is bound to, else one by its line."""
        above = self.names.parents.get(node)
        targets = above.targets if isinstance(above, ast.Assign) else [getattr(above, "target", None)]
        target = targets[0] if isinstance(above, ast.Assign | ast.AnnAssign | ast.NamedExpr | ast.AugAssign) else None
        return getattr(target, "id", getattr(target, "attr", f"prompt_{getattr(node, 'lineno', 1)}"))

    # answers ---------------------------------------------------------------------------------

    def is_spoiled(self, variable: Variable | None) -> bool:
        """Return whether the prompt of a variable is changed somewhere, under whatever name."""
        return variable is not None and self._one(variable) in {self._one(one) for one in self._spoiled}

    def is_changed(self, variable: Variable) -> bool:
        """Return whether a list or mapping is changed somewhere, or given to a function that may change it."""
        return self._one(variable) in {self._one(one) for one in self._changed}

    def rebound(self) -> Iterator[Found]:
        """Yield the bindings of a prompt's name to what is no definition."""
        for variable in self._prompts:
            bindings = self.names.bindings.get(variable, ())
            is_defined = any(isinstance(one.value, ast.Call) and self._is_prompt(one.value) for one in bindings)
            for binding in bindings if is_defined else ():
                value = binding.value
                is_plain = isinstance(value, ast.Constant) or (value is not None and self.is_value(value))
                if not is_plain and isinstance(binding.node, ast.Name | ast.Attribute | ast.Subscript):
                    if not isinstance(self.names.parents.get(binding.node), ast.AugAssign):
                        yield Found(binding.node, variable[1], "it is bound again, to what is only known when it runs")
