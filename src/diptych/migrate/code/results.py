"""Every use of an answer, followed forward from the call; what cannot be followed refuses it.

Rule: a use is known and stays right, or known and rewritten, or the call is refused. An
answer that is stored on an object, passed to an unknown function or given out of the
module could be read there as a Completions answer: that is never risked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import libcst as cst
from libcst.metadata import ExpressionContext

from .functions import Functions
from .plan import Plan, Site
from .source import Node, Source, constant_of, dotted, key_of, quotes_around
from .streams import Streams
from .webs import reaching

#: Fields that both APIs have, with the same meaning.
_SHARED: Final = frozenset(
    {"id", "model", "usage", "created", "system_fingerprint", "service_tier", "_request_id", "response_ms", "headers",
     "organization", "request_id", "error"}
)  # fmt: skip
_OF_CHOICES: Final = frozenset({"index", "finish_reason"})
#: Methods that give the same as plain data.
_PLAIN: Final = frozenset({"model_dump", "to_dict", "dict", "to_dict_recursive"})
#: Functions that give the answers on as they are.
_THROUGH: Final = frozenset({"gather", "wait_for", "shield", "create_task", "ensure_future", "cast", "run"})
_LISTS: Final = frozenset({"list", "tuple", "reversed", "sorted", "iter", "aiter", "enumerate", "tqdm", "as_completed"})
_ITEMS: Final = frozenset({"next", "anext", "max", "min", "choice"})
_HARMLESS: Final = frozenset({"len", "print", "pprint", "type", "id", "bool", "callable", "hasattr"})
_LOGS: Final = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log", "print", "pprint"})


@dataclass(frozen=True)
class Value:
    """What an expression holds: response, raw, stream, chunk, choices, choice, http …

    ``many`` counts the lists around it; ``sdk`` is v1, v0 or plain (data of HTTP).
    """

    kind: str
    sdk: str = "v1"
    many: int = 0
    is_chunk: bool = False


class Results:
    """Follows answers through one source."""

    def __init__(self, plan: Plan, functions: Functions) -> None:
        self.plan, self.functions = plan, functions
        self.source: Source = plan.source
        self.streams = Streams(plan)
        self.seen: dict[Node, tuple[Value, Site]] = {}
        self._names: dict[Node, tuple[Value, Site]] = {}
        #: Values that must turn out to be followed, too: other bindings of a name, other returns.
        self._owed: list[tuple[Any, Value, Site, Node]] = []

    def follow(self, node: Any, value: Value, site: Site) -> None:
        """Follow a value from the expression that gives it."""
        if node in self.seen:
            known, other = self.seen[node]
            self.plan.tie(site, other)
            if known != value:
                self.plan.refuse(site, "result-mixed", at=node)
            return
        self.seen[node] = (value, site)
        self._used(node, self.source.parent(node), value, site)

    def settle(self) -> None:
        """Refuse what depends on values that were not followed."""
        for node, value, site, at in self._owed:
            found = self.seen.get(node)
            if found is not None and found[0] == value:
                self.plan.tie(site, found[1])
            elif not self._is_nothing(node):
                self.plan.refuse(site, "result-mixed", at=at)

    def _owe(self, node: Any, value: Value, site: Site, at: Node) -> None:
        """Say that an expression must turn out to give the same, or nothing."""
        self._owed.append((node, value, site, at))

    def _is_nothing(self, node: Any) -> bool:
        """Tell whether a value is no answer of any API: a literal, or nothing at all."""
        if node is None or constant_of(node) is not ...:
            return True
        return isinstance(node, cst.List | cst.Dict | cst.Tuple) and not node.elements

    def escape(self, site: Site, node: Node, how: str = "") -> None:
        """Refuse a site for a use that cannot be followed."""
        self.plan.refuse(site, "result-escapes", how, at=node)

    # one use ---------------------------------------------------------------------------------

    def _used(self, node: Any, outer: Any, value: Value, site: Site) -> None:
        match outer:
            case cst.Await() | cst.StarredElement():
                self.follow(outer, value, site)
            case cst.Expr() | cst.Assert() | cst.If() | cst.While() | cst.UnaryOperation(operator=cst.Not()):
                pass
            case cst.Attribute() if outer.value is node:
                self._attribute(outer, value, site)
            case cst.Subscript() if outer.value is node:
                self._subscript(outer, value, site)
            case cst.Arg():
                self._argument(outer, self.source.parent(outer), value, site)
            case cst.Assign() | cst.AnnAssign() | cst.NamedExpr():
                self._assigned(outer, value, site)
            case cst.IfExp():
                if outer.test is not node:
                    self._owe(outer.orelse if outer.body is node else outer.body, value, site, outer)
                    self.follow(outer, value, site)
            case cst.BooleanOperation():
                # What `and` lets through on its left is false: no answer, and no list of choices.
                is_left_of_and = isinstance(outer.operator, cst.And) and outer.left is node
                if not is_left_of_and and not self._is_tested(outer):
                    if isinstance(outer.operator, cst.Or):
                        self._owe(outer.right if outer.left is node else outer.left, value, site, outer)
                    self.follow(outer, value, site)
            case cst.Comparison() | cst.ComparisonTarget():
                self._compared(node, outer, value, site)
            case cst.Return():
                self._returned(outer, value, site)
            case cst.Lambda():
                self._called(self.functions.calls_of_lambda(outer), outer, value, site)
            case cst.WithItem():
                if outer.asname is not None:
                    self._bind(outer.asname.name, value, site)
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
            case cst.Del():
                pass
            case _:
                self.escape(site, node, _told(outer))

    def _is_tested(self, node: Any) -> bool:
        """Tell whether only the truth of an expression is looked at."""
        outer: Any = self.source.parent(node)
        while isinstance(outer, cst.BooleanOperation) or (
            isinstance(outer, cst.UnaryOperation) and isinstance(outer.operator, cst.Not)
        ):
            node, outer = outer, self.source.parent(outer)
        return isinstance(outer, cst.If | cst.While | cst.IfExp | cst.CompIf | cst.Assert) and outer.test is node

    def _attribute(self, node: cst.Attribute, value: Value, site: Site) -> None:
        name = node.attr.value
        if self.source.contexts.get(node) is not ExpressionContext.LOAD:
            self.escape(site, node, f"{name} is assigned to")
            return
        call: Any = self.source.parent(node)
        is_called = isinstance(call, cst.Call) and call.func is node
        if value.many:
            self._list_method(node, name, call, is_called, value, site)
        elif value.kind == "response" and is_called and name in _PLAIN:
            self.follow(call, replace(value, sdk="plain"), site)
        elif value.kind in ("response", "choice") and is_called and name == "get":
            self._get(call, value, site)
        elif value.kind == "raw":
            self._raw(name, call, is_called, value, site)
        elif value.kind == "http":
            self._http(node, name, call, is_called, value, site)
        elif value.kind == "stream":
            if name not in ("close", "response", "aclose"):
                self.escape(site, node, f"the result is a stream, which has no {name}")
        else:
            self._field(node, name, value, site)

    def _field(self, node: Any, name: Any, value: Value, site: Site) -> None:
        """A field of an answer or of a choice, read in any of the ways."""
        if value.kind == "response" and name == "choices":
            self.follow(node, replace(value, kind="choice", many=1), site)
        elif value.kind == "response" and name in _SHARED:
            return
        elif value.kind == "choice" and name == "text":
            self._text(node, value, site)
        elif value.kind == "choice" and name in _OF_CHOICES:
            if value.is_chunk:
                self.streams.guarded(node, site)
        elif value.kind == "choice" and name == "logprobs":
            site.reads_logprobs = True
        else:
            self.plan.refuse(site, "result-shape", str(name), at=node)

    def _text(self, node: Any, value: Value, site: Site) -> None:
        if value.is_chunk:
            self.streams.text(node, value.sdk, site)
            return
        if isinstance(node, cst.Attribute):
            start, end = self.source.span(node.attr)
            self.plan.edit(site, start, end, "message.content")
            self.plan.change(site, node, ".text became .message.content", "result")
            return
        assert isinstance(node, cst.Subscript)
        index: Any = node.slice[0].slice
        start, end = self.source.outer(index.value)
        quoted = self.source.text[start:end]
        message, content = quoted.replace("text", "message"), quoted.replace("text", "content")
        self.plan.edit(site, start, end, f"{message}][{content}")
        self.plan.change(site, node, '["text"] became ["message"]["content"]', "result")

    def _get(self, call: cst.Call, value: Value, site: Site) -> None:
        """``.get("choices")`` and ``.get("text")`` of plain data."""
        key = constant_of(call.args[0].value) if call.args and not call.args[0].keyword else ...
        if not isinstance(key, str) or (value.is_chunk and key == "text"):
            self.escape(site, call, "get with a key that is no literal")
        elif key == "text" and value.kind == "choice":
            start, end = self.source.outer(call.args[0].value)
            quoted = self.source.text[start:end]
            rest = ", {}" if len(call.args) > 1 else ""
            self.plan.edit(
                site, start, end, f"{quoted.replace('text', 'message')}{rest}).get({quoted.replace('text', 'content')}"
            )
            self.plan.change(site, call, '.get("text") became .get("message").get("content")', "result")
        else:
            self._field(call, key, value, site)

    def _subscript(self, node: cst.Subscript, value: Value, site: Site) -> None:
        if self.source.contexts.get(node) is not ExpressionContext.LOAD:
            self.escape(site, node, "an item is assigned to")
            return
        if value.many:
            is_slice = isinstance(node.slice[0].slice, cst.Slice)
            if (
                value.is_chunk
                and value.kind == "choice"
                and value.many == 1
                and not self._is_guarded(node, is_slice, site)
            ):
                return
            self.follow(node, value if is_slice else replace(value, many=value.many - 1), site)
        elif value.kind in ("response", "choice"):
            key = key_of(node)
            if isinstance(key, str):
                self._field(node, key, value, site)
            else:
                self.escape(site, node, "a key that is no literal")
        else:
            self.escape(site, node)

    def _is_guarded(self, node: cst.Subscript, is_slice: bool, site: Site) -> bool:
        """Tell whether ``chunk.choices[0]`` may stand: the list is empty in some chunks of Chat."""
        outer = self.source.parent(node)
        is_read = isinstance(outer, cst.Attribute | cst.Subscript) and outer.value is node
        if is_slice or is_read or self.streams.indexed(node, site):
            return True
        self.escape(site, node, "a chunk may have no choices, and there is no place for a guard")
        return False

    def _list_method(self, node: Node, name: str, call: Any, is_called: bool, value: Value, site: Site) -> None:
        if is_called and name in ("pop", "copy") and value.kind != "stream" and not value.is_chunk:
            self.follow(call, value if name == "copy" else replace(value, many=value.many - 1), site)
        elif not (is_called and name in ("append", "__len__", "clear", "reverse")):
            self.escape(site, node, f"a list's {name}")

    def _raw(self, name: str, call: Any, is_called: bool, value: Value, site: Site) -> None:
        if name == "parse" and is_called and not call.args:
            self.follow(call, replace(value, kind="stream" if value.is_chunk else "response"), site)
        elif name not in ("headers", "status_code", "request_id", "retries_taken", "elapsed", "http_response"):
            self.plan.refuse(site, "raw-response", f".{name}", at=call)

    def _http(self, node: Any, name: str, call: Any, is_called: bool, value: Value, site: Site) -> None:
        if name == "json" and is_called:
            self.follow(call, replace(value, kind="response"), site)
        elif name == "raise_for_status" and is_called:
            self.follow(call, value, site)
        elif name in ("text", "content") and self._is_loaded(node):
            self.follow(self.source.parent(self.source.parent(node)), replace(value, kind="response"), site)
        elif name in ("text", "content", "read") and self._is_logged(node):
            return
        elif name not in (
            "status_code",
            "status",
            "ok",
            "headers",
            "is_success",
            "is_error",
            "reason",
            "close",
            "elapsed",
        ):
            self.escape(site, node, f".{name} of an HTTP answer")

    def _is_loaded(self, node: Any) -> bool:
        arg = self.source.parent(node)
        call = self.source.parent(arg)
        return isinstance(arg, cst.Arg) and isinstance(call, cst.Call) and dotted(call.func)[-2:] == ("json", "loads")

    def _is_logged(self, node: Any) -> bool:
        call = self.source.enclosing(node, cst.Call, cst.Raise, cst.FunctionDef)
        while isinstance(call, cst.Call) and call.func is node:
            call = self.source.enclosing(call, cst.Call, cst.Raise, cst.FunctionDef)
        if not isinstance(call, cst.Call):
            return isinstance(call, cst.Raise)
        name = dotted(call.func)[-1]
        return name in _LOGS or name.endswith(("Error", "Exception"))

    # where it goes -----------------------------------------------------------------------------

    def _argument(self, arg: cst.Arg, call: Any, value: Value, site: Site) -> None:
        if not isinstance(call, cst.Call):
            self.escape(site, arg)
            return
        name = dotted(call.func)[-1]
        if name == "append" and isinstance(call.func, cst.Attribute) and isinstance(call.func.value, cst.Name):
            self._appended(call.func.value, value, site)
        elif name in _THROUGH:
            self._passed_through(arg, call, name, value, site)
        elif name in _HARMLESS or (isinstance(call.func, cst.Attribute) and name in _LOGS):
            return
        elif name in _LISTS and (value.many or value.kind == "stream"):
            more = 1 if name == "enumerate" else 0
            if name == "sorted" or not self._keyed(call, value, site):
                self._keyed(call, value, site)
            if more:
                self._enumerated(call, value, site)
            else:
                self.follow(call, value, site)
        elif name in _ITEMS and value.kind == "choice" and value.is_chunk:
            self.escape(site, arg, "a chunk may have no choices")
        elif name in _ITEMS and (value.many or value.kind == "stream") and not self._has_default(call, name):
            self._keyed(call, value, site)
            self.follow(call, self._one_of(value), site)
        elif name == "zip" and (value.many or value.kind == "stream"):
            self._zipped(arg, call, value, site)
        elif isinstance(call.func, cst.Name):
            self._given(arg, call, value, site)
        else:
            self.escape(site, arg, f"it is passed to {'.'.join(dotted(call.func)) or 'a call'}")

    def _has_default(self, call: cst.Call, name: str) -> bool:
        return len([arg for arg in call.args if not arg.keyword]) > 1 and name in ("max", "min")

    def _one_of(self, value: Value) -> Value:
        if value.kind == "stream" and not value.many:
            return replace(value, kind="response", is_chunk=True)
        return replace(value, many=value.many - 1)

    def _keyed(self, call: cst.Call, value: Value, site: Site) -> bool:
        """Follow the parameter of ``key=lambda choice: …``."""
        for arg in call.args:
            if arg.keyword and arg.keyword.value == "key":
                if isinstance(arg.value, cst.Lambda) and len(arg.value.params.params) == 1:
                    self._bind_param(arg.value.params.params[0], self._one_of(value), site)
                else:
                    self.escape(site, arg, "a key that cannot be seen")
                return True
        return False

    def _passed_through(self, arg: cst.Arg, call: cst.Call, name: str, value: Value, site: Site) -> None:
        if name == "cast":
            self.escape(site, arg, "it is cast")
        elif name == "run" and dotted(call.func) != ("asyncio", "run"):
            self.escape(site, arg, f"it is passed to {'.'.join(dotted(call.func))}")
        elif name == "gather":
            if any(a.keyword and a.keyword.value == "return_exceptions" for a in call.args):
                self.escape(site, arg, "exceptions are gathered, too")
                return
            for other in call.args:
                if other is not arg and not other.keyword:
                    self._owe(other.value, value, site, call)
            self.follow(call, value if arg.star == "*" else replace(value, many=value.many + 1), site)
        else:
            self.follow(call, value, site)

    def _enumerated(self, call: cst.Call, value: Value, site: Site) -> None:
        """``for i, choice in enumerate(choices)``."""
        loop = self.source.parent(call)
        target = loop.target if isinstance(loop, cst.For | cst.CompFor) and loop.iter is call else None
        if isinstance(target, cst.Tuple) and len(target.elements) == 2:
            self._bind(target.elements[1].value, self._one_of(value), site)
        else:
            self.escape(site, call)

    def _zipped(self, arg: cst.Arg, call: cst.Call, value: Value, site: Site) -> None:
        loop = self.source.parent(call)
        target = loop.target if isinstance(loop, cst.For | cst.CompFor) and loop.iter is call else None
        number = list(call.args).index(arg)
        if isinstance(target, cst.Tuple) and len(target.elements) > number and not any(a.star for a in call.args):
            self._bind(target.elements[number].value, self._one_of(value), site)
        else:
            self.escape(site, call)

    def _each(self, loop: Any, value: Value, site: Site) -> None:
        if not (value.many or value.kind == "stream"):
            self.escape(site, loop.iter, "it is iterated over")
            return
        item = self._one_of(value)
        if value.kind == "stream" and not value.many:
            self.streams.loop(loop, site)
        self._bind(loop.target, item, site)

    def _element(self, element: Any, value: Value, site: Site) -> None:
        container: Any = self.source.parent(element)
        outer = self.source.parent(container)
        if isinstance(outer, cst.Assign):
            number = list(container.elements).index(element)
            targets = [t.target for t in outer.targets]
            if len(targets) == 1 and isinstance(targets[0], cst.Tuple | cst.List):
                if len(targets[0].elements) == len(container.elements):
                    self._bind(targets[0].elements[number].value, value, site)
                    return
        if isinstance(container, cst.List | cst.Tuple | cst.Set):
            for other in container.elements:
                if other is not element:
                    self._owe(other.value, value, site, container)
            self.follow(container, replace(value, many=value.many + 1), site)
        else:
            self.escape(site, element)

    def _formatted(self, node: Node, site: Site) -> None:
        if not self._is_logged(node):
            self.escape(site, node, "it is written into a text")

    def _compared(self, node: Node, outer: Any, value: Value, site: Site) -> None:
        comparison: Any = outer if isinstance(outer, cst.Comparison) else self.source.parent(outer)
        for target in comparison.comparisons:
            nothing = constant_of(target.comparator) is None or constant_of(comparison.left) is None
            within = isinstance(target.operator, cst.In | cst.NotIn) and constant_of(comparison.left) in (
                *_SHARED, "choices"
            )  # fmt: skip
            if not nothing and not within:
                self.escape(site, node, "it is compared")

    def _assigned(self, outer: Any, value: Value, site: Site) -> None:
        if isinstance(outer, cst.Assign):
            for target in outer.targets:
                self._bind(target.target, value, site)
            return
        if isinstance(outer, cst.AnnAssign):
            self._annotated(outer.annotation, site)
        self._bind(outer.target, value, site)
        if isinstance(outer, cst.NamedExpr):
            self.follow(outer, value, site)

    def _annotated(self, annotation: cst.Annotation | None, site: Site) -> None:
        if annotation is None:
            return
        told = self.source.code(annotation.annotation)
        if "Completion" in told and "ChatCompletion" not in told:
            self.plan.refuse(site, "annotation", told, at=annotation)

    def _bind(self, target: Any, value: Value, site: Site) -> None:
        if isinstance(target, cst.Name):
            self._variable(target, target.value, value, site)
        elif (
            isinstance(target, cst.Tuple | cst.List) and value.many and not (value.is_chunk and value.kind == "choice")
        ):
            for element in target.elements:
                inner = replace(value, many=value.many - 1)
                self._bind(element.value, value if isinstance(element, cst.StarredElement) else inner, site)
        else:
            where = "it is stored on an object" if isinstance(target, cst.Attribute | cst.Subscript) else ""
            self.escape(site, target, where)

    def _bind_param(self, param: cst.Param, value: Value, site: Site) -> None:
        self._annotated(param.annotation, site)
        self._variable(param, param.name.value, value, site)

    def _variable(self, binding: Node, name: str, value: Value, site: Site) -> None:
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
                    self._owe(self._value_of(other_binding, name), value, site, other_binding)
            self.follow(load, value, site)

    def _value_of(self, binding: Node, name: str) -> Any:
        from .bindings import bound

        if isinstance(binding, cst.Param):
            return binding.default or binding
        kind, value, _ = bound(self.source, binding) if isinstance(binding, cst.Name) else ("", None, None)
        if kind in ("value", "with"):
            return value if value is not None else None
        return self._names[binding][0] if binding in self._names else binding

    def _is_public_global(self, binding: cst.Name) -> bool:
        return binding.value in self.functions.exported and self.source.function_of(binding) is self.source.module

    def _appended(self, name: cst.Name, value: Value, site: Site) -> None:
        """``answers.append(answer)``: the list holds answers, if it holds nothing else."""
        bindings = reaching(self.source, name)
        if len(bindings) != 1 or not isinstance(bindings[0], cst.Name):
            self.escape(site, name, "it is appended to a list that cannot be followed")
            return
        from .bindings import bound

        kind, start, _ = bound(self.source, bindings[0])
        if kind != "value" or not self._is_nothing(start):
            self.escape(site, name, "it is appended to a list that cannot be followed")
            return
        for load in self.source.readers(bindings[0], name.value):
            call = self.source.enclosing(load, cst.Call)
            if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and call.func.value is load:
                for arg in call.args if call.func.attr.value in ("append", "extend", "insert") else ():
                    many = 1 if call.func.attr.value == "extend" else 0
                    self._owe(arg.value, replace(value, many=value.many + many), site, call)
        self._variable(bindings[0], name.value, replace(value, many=value.many + 1), site)

    # functions of the module -------------------------------------------------------------------

    def _returned(self, node: cst.Return, value: Value, site: Site) -> None:
        function = self.source.function_of(node)
        if not isinstance(function, cst.FunctionDef):
            self.escape(site, node)
            return
        self._annotated(function.returns, site)
        for other in self.functions.returns_of(function):
            if other is not node and other.value is not None:
                self._owe(other.value, value, site, other)
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

    def _given(self, arg: cst.Arg, call: cst.Call, value: Value, site: Site) -> None:
        """An answer is given to a function of the module: follow its parameter."""
        found = self.functions.parameter(arg, call)
        if isinstance(found, str):
            self.escape(site, arg, found)
            return
        param, others = found
        for other in others:
            self._owe(other, value, site, arg)
        self._bind_param(param, value, site)


def _told(node: Any) -> str:
    words = {cst.Yield: "it is yielded", cst.DictElement: "it is put into a dict", cst.Raise: "it is raised"}
    return next((told for kind, told in words.items() if isinstance(node, kind)), "")


__all__ = ["Results", "Value", "quotes_around"]
