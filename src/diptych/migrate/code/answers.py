"""Answers of openai before 1, which were dicts, as the objects of openai 1.

Rule: a subscript by a literal key becomes an attribute, ``get`` too; a value that is plain data in both ends
the way. Where an answer goes out of sight the source stays.
"""

from __future__ import annotations

from typing import Any, Final

import libcst as cst

from .functions import Functions
from .plan import Plan, Site
from .source import Node, Source, constant_of, dotted, key_of
from .values import is_log
from .webs import reaching

#: Fields that hold plain data in both SDKs.
_LEAVES: Final = frozenset(
    {"content", "text", "url", "b64_json", "embedding", "finish_reason", "role", "index", "id", "model", "created",
     "object", "total_tokens", "prompt_tokens", "completion_tokens", "arguments", "name", "flagged", "refusal"}
)  # fmt: skip
#: Fields that are lists.
_OF_LISTS: Final = frozenset({"choices", "data", "results", "tool_calls"})
_LISTS: Final = frozenset({"list", "tuple", "sorted", "reversed", "enumerate", "iter"})
_SHOWN: Final = frozenset({"print", "len", "str", "repr", "type", "bool", "isinstance", "pprint", "id"})


class Answers:
    """Follows the answers of one source."""

    def __init__(self, plan: Plan, functions: Functions) -> None:
        self.plan, self.functions = plan, functions
        self.source: Source = plan.source
        self._seen: set[Node] = set()
        self._bound: set[Node] = set()
        #: Reads that other bindings reach, too: those must turn out to hold answers.
        self._owed: list[tuple[Site, Node, list[Node]]] = []

    def follow(self, node: Any, site: Site) -> None:
        """Follow a value from the expression that gives it."""
        waiting = [node]
        while waiting:
            node = waiting.pop()
            if node not in self._seen:
                self._seen.add(node)
                waiting += self._used(node, self.source.parent(node), site)

    def settle(self) -> None:
        """Refuse reads that may be of something else than an answer."""
        for site, load, others in self._owed:
            if not self._bound.issuperset(others):
                self._refuse(site, load, "a name holds an answer and something else")

    def _used(self, node: Any, outer: Any, site: Site) -> list[Any]:
        """Return the expressions that give the value on."""
        match outer:
            case cst.Await() | cst.StarredElement():
                return [outer]
            case cst.Subscript() if outer.value is node:
                return self._subscript(outer, site)
            case cst.Attribute() if outer.value is node:
                return self._attribute(outer, site)
            case cst.Assign() | cst.AnnAssign() | cst.NamedExpr():
                return self._assigned(outer, site)
            case cst.For() | cst.CompFor() if outer.iter is node:
                return self._names(outer.target, site)
            case cst.WithItem() if outer.asname is not None:
                return self._names(outer.asname.name, site)
            case cst.Arg():
                return self._argument(node, outer, site)
            case cst.Return():
                return self._returned(outer, site)
            case cst.Comparison() | cst.ComparisonTarget():
                return self._compared(node, outer, site)
            case cst.Expr() | cst.If() | cst.While() | cst.Assert() | cst.UnaryOperation() | cst.BooleanOperation():
                return []
            case cst.FormattedStringExpression() | cst.CompIf() | cst.Del() | cst.IfExp():
                return [outer] if isinstance(outer, cst.IfExp) and outer.test is not node else []
            case cst.Element() | cst.ListComp() | cst.GeneratorExp() | cst.SetComp():
                self._refuse(site, node, "an answer is put into a list")
            case _:
                self._refuse(site, node, "an answer goes where it cannot be followed")
        return []

    def _refuse(self, site: Site, node: Any, detail: str) -> None:
        self.plan.refuse(site, "old-sdk", detail, at=node)

    # reads -----------------------------------------------------------------------------------------

    def _subscript(self, node: cst.Subscript, site: Site) -> list[Any]:
        key = key_of(node)
        if not isinstance(key, str):
            if key is ... and not self._is_list(node):
                self._refuse(site, node, "a key that is not a literal")
            return [node]  # an item of a list
        if not key.isidentifier() or isinstance(self.source.parent(node), cst.AssignTarget | cst.AugAssign):
            self._refuse(site, node, "an item of an answer is set")
            return []
        self.plan.edit(site, self.source.outer(node.value)[1], self.source.span(node)[1], f".{key}")
        return [] if key in _LEAVES else [node]

    def _is_list(self, node: cst.Subscript) -> bool:
        """Tell whether what is asked by a name or a slice is a list of the answer."""
        inner: Any = node.value
        name = inner.attr.value if isinstance(inner, cst.Attribute) else None
        key = key_of(inner) if isinstance(inner, cst.Subscript) else name
        return isinstance(node.slice[0].slice, cst.Slice) or key in _OF_LISTS

    def _attribute(self, node: cst.Attribute, site: Site) -> list[Any]:
        name, call = node.attr.value, self.source.parent(node)
        is_called = isinstance(call, cst.Call) and call.func is node
        if is_called and name == "get":
            return self._get(call, site)
        if is_called and name in ("to_dict", "to_dict_recursive"):
            self.plan.edit(site, *self.source.span(node.attr), "model_dump")
            return []
        if is_called or isinstance(call, cst.AssignTarget | cst.AugAssign):
            self._refuse(site, node, f".{name} of an answer")
            return []
        return [] if name in _LEAVES else [node]

    def _get(self, call: Any, site: Site) -> list[Any]:
        key = constant_of(call.args[0].value) if call.args else ...
        if not isinstance(key, str) or not key.isidentifier():
            self._refuse(site, call, "get with a key that is not a literal")
            return []
        default = self.source.code(call.args[1].value) if len(call.args) > 1 else ""
        if default in ("{}", "[]"):
            default = ""  # what is absent in a dict is there in an object
        head = self.source.outer(call.func.value)
        if default and default != "None":
            self.plan.edit(site, head[0], head[0], "(")
        tail = f".{key} or {default})" if default and default != "None" else f".{key}"
        self.plan.edit(site, head[1], self.source.span(call)[1], tail)
        return [] if key in _LEAVES else [call]

    def _compared(self, node: Any, outer: Any, site: Site) -> list[Any]:
        """``"content" in delta`` asks whether the field holds anything."""
        comparison: Any = outer if isinstance(outer, cst.Comparison) else self.source.parent(outer)
        key, target = constant_of(comparison.left), comparison.comparisons[0]
        if (
            isinstance(target.operator, cst.In | cst.NotIn)
            and isinstance(key, str)
            and len(comparison.comparisons) == 1
        ):
            negation = "" if isinstance(target.operator, cst.NotIn) else " not"
            code = self.source.outer(target.comparator)
            self.plan.edit(site, self.source.span(comparison)[0], code[0], "")
            self.plan.edit(site, code[1], self.source.span(comparison)[1], f".{key} is{negation} None")
        elif constant_of(comparison.left) is not None and constant_of(target.comparator) is not None:
            self._refuse(site, node, "an answer is compared")
        return []

    # where it goes -----------------------------------------------------------------------------------

    def _assigned(self, outer: Any, site: Site) -> list[Any]:
        targets = [t.target for t in outer.targets] if isinstance(outer, cst.Assign) else [outer.target]
        return [use for target in targets for use in self._names(target, site)]

    def _names(self, target: Any, site: Site) -> list[Any]:
        """Return the reads of a name; every binding that reaches them must hold an answer, or nothing."""
        if not isinstance(target, cst.Name) or (self.source.is_global(target) and self._is_exported(target)):
            self._refuse(site, target, "an answer is stored where it cannot be followed")
            return []
        self._bound.add(target)
        loads = [load for load in self.source.readers(target, target.value) if target in reaching(self.source, load)]
        for load in loads:
            others = [b for b in reaching(self.source, load) if b not in self._bound and not self._is_none(b)]
            if others:
                self._owed.append((site, load, others))
        return list(loads)

    def _is_exported(self, name: cst.Name) -> bool:
        return name.value in self.functions.exported

    def _is_none(self, binding: Node) -> bool:
        outer = self.source.parent(self.source.parent(binding))
        return isinstance(outer, cst.Assign) and constant_of(outer.value) in (None, "", 0, False)

    def _argument(self, node: Any, arg: Any, site: Site) -> list[Any]:
        call: Any = self.source.parent(arg)
        name = dotted(call.func)[-1] if isinstance(call, cst.Call) else ""
        if name in _LISTS or name in ("next", "anext"):
            return [call]
        if name in _SHOWN or (isinstance(call, cst.Call) and is_log(call.func)):
            return []
        if isinstance(call, cst.Call) and dotted(call.func) in (("json", "dumps"), ("json", "dump")):
            end = self.source.outer(node)[1]
            self.plan.edit(site, end, end, ".model_dump()")
        elif name == "append" and len(call.args) == 1:
            end = self.source.outer(node)[1]
            self.plan.edit(site, end, end, ".model_dump(exclude_none=True)")
        else:
            self._refuse(site, node, f"an answer is passed to {name or 'a call'}")
        return []

    def _returned(self, node: cst.Return, site: Site) -> list[Any]:
        function = self.source.function_of(node)
        calls = self.functions.calls_of(function) if isinstance(function, cst.FunctionDef) else "it is given back"
        if isinstance(calls, str):
            self._refuse(site, node, calls)
            return []
        return list(calls)
