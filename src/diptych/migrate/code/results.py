"""Every use of an answer, followed forward from the call; what cannot be followed refuses it.

Rule: a use is known and stays right, or known and rewritten, or the call is refused. An
answer that is stored on an object, passed to an unknown function or given out of the
module could be read there as a Completions answer: that is never risked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import libcst as cst

from .batches import Batches
from .branches import side_of
from .continuations import Continuations
from .events import Events
from .functions import Functions
from .outputs import Outputs
from .passing import Passing
from .plan import Plan, Site
from .reads import Reads
from .source import Node, Source, bound
from .streams import Streams
from .targets import RESPONSES
from .uses import Bind, BindName, BindParam, Escape, Follow, Owe, Say, Use
from .values import Value, is_nothing, is_shown, one_of
from .webs import reaching


class Results:
    """Follows answers through one source."""

    def __init__(self, plan: Plan, functions: Functions, continuations: Continuations, batches: Batches) -> None:
        self.plan, self.functions = plan, functions
        self.source: Source = plan.source
        self.streams: Streams
        self.reads: Reads
        if plan.target == RESPONSES:
            self.streams = events = Events(plan)
            self.reads = Outputs(plan, events, continuations, batches)
        else:
            self.streams = Streams(plan)
            self.reads = Reads(plan, self.streams, continuations, batches)
        self.passing = Passing(plan.source, functions)
        self.seen: dict[Node, tuple[Value, Site]] = {}
        #: Expressions whose uses are still to be looked at, the next one last.
        self._work: list[tuple[Any, Value, Site]] = []
        self._is_working = False
        #: The names that decide whether a call streams.
        self.flags: dict[Site, str] = {}
        self._names: dict[Node, tuple[Value, Site]] = {}
        #: Values that must turn out to be followed, too: other bindings of a name, other returns.
        self._owed: list[tuple[Any, Value, Site, Node]] = []

    def follow(self, node: Any, value: Value, site: Site) -> None:
        """Follow a value from the expression that gives it, and from there on: a worklist, depth first."""
        self._work.append((node, value, site))
        if self._is_working:
            return
        self._is_working, stack = True, self._work
        while stack:
            next_node, next_value, next_site = stack.pop()
            self._work = []
            self._step(next_node, next_value, next_site)
            stack += reversed(self._work)
        self._is_working, self._work = False, stack

    def _step(self, node: Any, value: Value, site: Site) -> None:
        if node in self.seen:
            known, other = self.seen[node]
            self.plan.tie(site, other)
            if known != value:
                self.plan.refuse(site, "result-mixed", at=node)
            return
        self.seen[node] = (value, site)
        if value.kind == "either":
            self._either(node, value, site)
            return
        self._used(node, self.source.parent(node), value, site)

    def _either(self, node: Any, value: Value, site: Site) -> None:
        """Follow an answer that streams or not by a flag: each use stands on one side of the flag's branches."""
        outer: Any = self.source.parent(node)
        if isinstance(outer, cst.Await):
            self.follow(outer, value, site)
            return
        target = outer.targets[0].target if isinstance(outer, cst.Assign) and len(outer.targets) == 1 else None
        if not isinstance(target, cst.Name) or self.source.bindings(target) != [target]:
            self.plan.refuse(site, "stream-unknown", at=node)
            return
        for load in self.source.readers(target, target.value):
            side = side_of(self.source, load, self.flags[site])
            if side is None:
                self.plan.refuse(site, "stream-unknown", at=load)
            else:
                self.follow(load, replace(value, kind="stream" if side else "response"), site)

    def settle(self) -> None:
        """Refuse what depends on values that were not followed."""
        for node, value, site, at in self._owed:
            found = self.seen.get(node)
            if found is not None and found[0] == value:
                self.plan.tie(site, found[1])
            elif not is_nothing(node):
                self.plan.refuse(site, "result-mixed", at=at)

    def owe(self, node: Any, value: Value, site: Site, at: Node) -> None:
        """Say that an expression must turn out to give the same, or nothing."""
        self._owed.append((node, value, site, at))

    def escape(self, site: Site, node: Node, how: str = "") -> None:
        """Refuse a site for a use that cannot be followed."""
        self.plan.refuse(site, "result-escapes", how, at=node)

    def _take(self, uses: Iterable[Use], site: Site) -> None:
        for use in uses:
            match use:
                case Follow():
                    self.follow(use.node, use.value, site)
                case Bind():
                    self.bind(use.target, use.value, site)
                case BindParam():
                    self.bind_param(use.param, use.value, site)
                case BindName():
                    self.variable(use.binding, use.name, use.value, site)
                case Owe():
                    self.owe(use.node, use.value, site, use.at)
                case Escape():
                    self.escape(site, use.node, use.how)
                case Say():
                    self.plan.change(site, use.node, use.what, "note")

    # one use ---------------------------------------------------------------------------------

    def _used(self, node: Any, outer: Any, value: Value, site: Site) -> None:
        match outer:
            case cst.Await() | cst.StarredElement():
                self.follow(outer, value, site)
            case cst.Expr() | cst.Assert() | cst.If() | cst.While() | cst.UnaryOperation(operator=cst.Not()):
                pass
            case cst.Attribute() if outer.value is node:
                self._take(self.reads.attribute(outer, value, site), site)
            case cst.Subscript() if outer.value is node:
                self._take(self.reads.subscript(outer, value, site), site)
            case cst.Arg():
                self._take(self.passing.argument(outer, self.source.parent(outer), value), site)
            case cst.Assign() | cst.AnnAssign() | cst.NamedExpr():
                self._assigned(outer, value, site)
            case cst.IfExp():
                if outer.test is not node:
                    self.owe(outer.orelse if outer.body is node else outer.body, value, site, outer)
                    self.follow(outer, value, site)
            case cst.BooleanOperation():
                self._combined(node, outer, value, site)
            case cst.Comparison() | cst.ComparisonTarget():
                self._take(self.reads.compared(node, outer), site)
            case cst.Return():
                self._returned(outer, value, site)
            case cst.Lambda():
                self._called(self.functions.calls_of_lambda(outer), outer, value, site)
            case cst.WithItem():
                if outer.asname is not None:
                    self.bind(outer.asname.name, value, site)
            case cst.For() | cst.CompFor() if outer.iter is node:
                self._each(outer, value, site)
            case cst.CompIf():
                pass
            case cst.Element():
                self._element(outer, value, site)
            case cst.ListComp() | cst.GeneratorExp() | cst.SetComp():
                self.follow(outer, replace(value, many=value.many + 1), site)
            case cst.FormattedStringExpression():
                self._formatted(outer, site)
            case cst.BinaryOperation(operator=cst.Modulo()) if outer.right is node:
                self._formatted(outer, site)
            case cst.Del():
                pass
            case _:
                self.escape(site, node, _told(outer))

    def _combined(self, node: Any, outer: cst.BooleanOperation, value: Value, site: Site) -> None:
        # What `and` lets through on its left is false: no answer, and no list of choices.
        is_left_of_and = isinstance(outer.operator, cst.And) and outer.left is node
        if is_left_of_and or self._is_tested(outer):
            return
        if isinstance(outer.operator, cst.Or):
            self.owe(outer.right if outer.left is node else outer.left, value, site, outer)
        self.follow(outer, value, site)

    def _is_tested(self, node: Any) -> bool:
        """Tell whether only the truth of an expression is looked at."""
        outer: Any = self.source.parent(node)
        while isinstance(outer, cst.BooleanOperation) or (
            isinstance(outer, cst.UnaryOperation) and isinstance(outer.operator, cst.Not)
        ):
            node, outer = outer, self.source.parent(outer)
        return isinstance(outer, cst.If | cst.While | cst.IfExp | cst.CompIf | cst.Assert) and outer.test is node

    # where it goes -----------------------------------------------------------------------------

    def _each(self, loop: Any, value: Value, site: Site) -> None:
        if not (value.many or value.kind == "stream"):
            self.escape(site, loop.iter, "it is iterated over")
            return
        item = one_of(value)
        site.reads_all = site.reads_all or (value.kind == "choice" and not value.is_chunk)
        if value.kind == "stream" and not value.many:
            self.streams.loop(loop, site)
        self.bind(loop.target, item, site)

    def _element(self, element: Any, value: Value, site: Site) -> None:
        container: Any = self.source.parent(element)
        outer = self.source.parent(container)
        if isinstance(outer, cst.BinaryOperation) and isinstance(outer.operator, cst.Modulo):
            self._formatted(outer, site)  # "%s: %s" % (number, choice)
            return
        if isinstance(outer, cst.Assign):
            number = list(container.elements).index(element)
            targets = [t.target for t in outer.targets]
            if len(targets) == 1 and isinstance(targets[0], cst.Tuple | cst.List):
                if len(targets[0].elements) == len(container.elements):
                    self.bind(targets[0].elements[number].value, value, site)
                    return
        if isinstance(container, cst.List | cst.Tuple | cst.Set):
            for other in container.elements:
                if other is not element:
                    self.owe(other.value, value, site, container)
            self.follow(container, replace(value, many=value.many + 1), site)
        else:
            self.escape(site, element)

    def _formatted(self, node: Node, site: Site) -> None:
        if not is_shown(self.source, node):
            self.escape(site, node, "it is written into a text")

    def _assigned(self, outer: Any, value: Value, site: Site) -> None:
        if isinstance(outer, cst.Assign):
            for target in outer.targets:
                self.bind(target.target, value, site)
            return
        if isinstance(outer, cst.AnnAssign):
            self._annotated(outer.annotation, site)
        self.bind(outer.target, value, site)
        if isinstance(outer, cst.NamedExpr):
            self.follow(outer, value, site)

    def _annotated(self, annotation: cst.Annotation | None, site: Site) -> None:
        if annotation is None:
            return
        told = self.source.code(annotation.annotation)
        if "Completion" in told and "ChatCompletion" not in told:
            self.plan.refuse(site, "annotation", told, at=annotation)

    def bind(self, target: Any, value: Value, site: Site) -> None:
        if isinstance(target, cst.Name):
            self.variable(target, target.value, value, site)
        elif (
            isinstance(target, cst.Tuple | cst.List) and value.many and not (value.is_chunk and value.kind == "choice")
        ):
            for element in target.elements:
                inner = replace(value, many=value.many - 1)
                self.bind(element.value, value if isinstance(element, cst.StarredElement) else inner, site)
        else:
            where = "it is stored on an object" if isinstance(target, cst.Attribute | cst.Subscript) else ""
            self.escape(site, target, where)

    def bind_param(self, param: cst.Param, value: Value, site: Site) -> None:
        self._annotated(param.annotation, site)
        self.variable(param, param.name.value, value, site)

    def variable(self, binding: Node, name: str, value: Value, site: Site) -> None:
        """Follow every name that may read a binding; the other bindings that reach it are owed."""
        if binding in self._names:
            known, other = self._names[binding]
            self.plan.tie(site, other)
            if known != value:
                self.plan.refuse(site, "result-mixed", name, at=binding)
            return
        self._names[binding] = (value, site)
        if isinstance(binding, cst.Name) and self._is_public_global(binding):
            self.escape(site, binding, f"{name} can be imported from the module")
            return
        for load in self.source.readers(binding, name):
            found = reaching(self.source, load)
            if binding not in found:
                continue
            for other_binding in found:
                if other_binding is not binding and other_binding not in self._names:
                    self.owe(self._value_of(other_binding), value, site, other_binding)
            self.follow(load, value, site)

    def _value_of(self, binding: Node) -> Any:
        if isinstance(binding, cst.Param):
            return binding.default or binding
        kind, value, _ = bound(self.source, binding) if isinstance(binding, cst.Name) else ("", None, None)
        if kind in ("value", "with"):
            return value if value is not None else None
        return self._names[binding][0] if binding in self._names else binding

    def _is_public_global(self, binding: cst.Name) -> bool:
        return binding.value in self.functions.exported and self.source.is_global(binding)

    # functions of the module -------------------------------------------------------------------

    def _returned(self, node: cst.Return, value: Value, site: Site) -> None:
        function = self.source.function_of(node)
        if not isinstance(function, cst.FunctionDef):
            self.escape(site, node)
            return
        self._annotated(function.returns, site)
        for other in self.functions.returns_of(function):
            if other is not node and other.value is not None:
                self.owe(other.value, value, site, other)
        self._called(self.functions.calls_of(function), function, value, site)

    def _called(self, calls: Iterable[cst.Call] | str, function: Any, value: Value, site: Site) -> None:
        if isinstance(calls, str):
            self.escape(site, function, calls)
            return
        if isinstance(function, cst.FunctionDef):
            what = f"{function.name.value} gives a Chat answer back now, and its callers read one"
            self.plan.change(site, function, what, "helper")
        for call in calls:
            self.follow(call, value, site)


def _told(node: Any) -> str:
    words = {cst.Yield: "it is yielded", cst.DictElement: "it is put into a dict", cst.Raise: "it is raised"}
    return next((told for kind, told in words.items() if isinstance(node, kind)), "")
