"""Where an answer is passed to: Python's own functions, lists that are built, functions of the module.

Rule: a function is known by what its name is bound to, not by how it is called; one that
cannot be seen refuses the call.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import libcst as cst

from .bindings import bound, import_path
from .plan import Site
from .source import Source, dotted
from .values import Value, is_log, one_of
from .webs import reaching

if TYPE_CHECKING:
    from .results import Results

#: Modules whose functions of these names are the ones that are meant.
_MODULES: Final = frozenset({"asyncio", "builtins", "pprint", "random", "tqdm"})
#: Functions that give the answers on as they are.
_THROUGH: Final = frozenset({"gather", "wait_for", "shield", "create_task", "ensure_future", "run"})
_LISTS: Final = frozenset({"list", "tuple", "reversed", "sorted", "iter", "aiter", "tqdm", "as_completed"})
_ITEMS: Final = frozenset({"next", "anext", "max", "min", "choice"})
_HARMLESS: Final = frozenset({"len", "print", "pprint", "type", "id", "bool", "callable"})


class Passing:
    """Looks at what answers are passed to; ``results`` follows what comes back."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self.source: Source = results.source

    def argument(self, arg: cst.Arg, call: Any, value: Value, site: Site) -> None:
        """Follow an answer that is an argument."""
        if not isinstance(call, cst.Call):
            self.results.escape(site, arg)
            return
        name, is_list = self._library(call.func), bool(value.many) or value.kind == "stream"
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == "append" and not is_log(call.func):
            self._appended(call.func.value, value, site)
        elif name in _THROUGH:
            self._passed_through(arg, call, name, value, site)
        elif name in _HARMLESS or is_log(call.func):
            return
        elif name == "enumerate" and is_list:
            self._enumerated(call, value, site)
        elif name in _LISTS and is_list:
            self._keyed(call, value, site)
            self.results.follow(call, value, site)
        elif name in _ITEMS and value.kind == "choice" and value.is_chunk:
            self.results.escape(site, arg, "a chunk may have no choices")
        elif name in _ITEMS and is_list and not self._has_default(call, name):
            self._keyed(call, value, site)
            self.results.follow(call, one_of(value), site)
        elif name in ("map", "filter") and is_list and self._has_lambda(arg, call):
            self.results.bind_param(call.args[0].value.params.params[0], one_of(value), site)  # type: ignore[attr-defined]
            if name == "filter":
                self.results.follow(call, value, site)
        elif name == "zip" and is_list:
            self._zipped(arg, call, value, site)
        elif isinstance(call.func, cst.Name):
            self._given(arg, call, value, site)
        else:
            self.results.escape(site, arg, f"it is passed to {'.'.join(dotted(call.func)) or 'a call'}")

    def _library(self, func: Any) -> str:
        """Return the name of a function of Python's own, "" for any other of the same name."""
        head = func
        while isinstance(head, cst.Attribute):
            head = head.value
        if not isinstance(head, cst.Name):
            return ""
        found = self.source.bindings(head)
        if isinstance(func, cst.Name) and not found:
            return func.value
        if not found and head.value == "asyncio":
            return dotted(func)[-1]
        if len(found) == 1 and isinstance(found[0], cst.Import | cst.ImportFrom):
            module = import_path(found[0], head.value).partition(".")[0]
            return dotted(func)[-1] if module in _MODULES else ""
        return ""

    def _has_lambda(self, arg: cst.Arg, call: cst.Call) -> bool:
        """Tell whether a call is ``map(lambda choice: …, choices)``."""
        first = call.args[0].value
        return (
            len(call.args) == 2
            and call.args[1] is arg
            and isinstance(first, cst.Lambda)
            and len(first.params.params) == 1
            and not first.params.params[0].default
        )

    def _has_default(self, call: cst.Call, name: str) -> bool:
        return len([arg for arg in call.args if not arg.keyword]) > 1 and name in ("max", "min")

    def _keyed(self, call: cst.Call, value: Value, site: Site) -> bool:
        """Follow the parameter of ``key=lambda choice: …``."""
        for arg in call.args:
            if arg.keyword and arg.keyword.value == "key":
                if isinstance(arg.value, cst.Lambda) and len(arg.value.params.params) == 1:
                    self.results.bind_param(arg.value.params.params[0], one_of(value), site)
                else:
                    self.results.escape(site, arg, "a key that cannot be seen")
                return True
        return False

    def _passed_through(self, arg: cst.Arg, call: cst.Call, name: str, value: Value, site: Site) -> None:
        if name == "gather":
            if any(a.keyword and a.keyword.value == "return_exceptions" for a in call.args):
                self.results.escape(site, arg, "exceptions are gathered, too")
                return
            for other in call.args:
                if other is not arg and not other.keyword:
                    self.results.owe(other.value, value, site, call)
            self.results.follow(call, value if arg.star == "*" else replace(value, many=value.many + 1), site)
        else:
            self.results.follow(call, value, site)

    def _enumerated(self, call: cst.Call, value: Value, site: Site) -> None:
        """``for i, choice in enumerate(choices)``."""
        loop = self.source.parent(call)
        target = loop.target if isinstance(loop, cst.For | cst.CompFor) and loop.iter is call else None
        if isinstance(target, cst.Tuple) and len(target.elements) == 2:
            self.results.bind(target.elements[1].value, one_of(value), site)
        else:
            self.results.escape(site, call)

    def _zipped(self, arg: cst.Arg, call: cst.Call, value: Value, site: Site) -> None:
        loop = self.source.parent(call)
        target = loop.target if isinstance(loop, cst.For | cst.CompFor) and loop.iter is call else None
        number = list(call.args).index(arg)
        if isinstance(target, cst.Tuple) and len(target.elements) > number and not any(a.star for a in call.args):
            self.results.bind(target.elements[number].value, one_of(value), site)
        else:
            self.results.escape(site, call)

    def _appended(self, name: Any, value: Value, site: Site) -> None:
        """``answers.append(answer)``: the list holds answers, if it holds nothing else."""
        bindings = reaching(self.source, name) if isinstance(name, cst.Name) else []
        if len(bindings) != 1 or not isinstance(bindings[0], cst.Name):
            self.results.escape(site, name, "it is appended to a list that cannot be followed")
            return
        kind, start, _ = bound(self.source, bindings[0])
        if kind != "value" or not self.results.is_nothing(start):
            self.results.escape(site, name, "it is appended to a list that cannot be followed")
            return
        for load in self.source.readers(bindings[0], name.value):
            call = self.source.enclosing(load, cst.Call)
            if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and call.func.value is load:
                for arg in call.args if call.func.attr.value in ("append", "extend", "insert") else ():
                    many = 1 if call.func.attr.value == "extend" else 0
                    self.results.owe(arg.value, replace(value, many=value.many + many), site, call)
        self.results.variable(bindings[0], name.value, replace(value, many=value.many + 1), site)

    def _given(self, arg: cst.Arg, call: cst.Call, value: Value, site: Site) -> None:
        """An answer is given to a function of the module: follow its parameter."""
        found = self.results.functions.parameter(arg, call)
        if isinstance(found, str):
            self.results.escape(site, arg, found)
            return
        param, others = found
        for other in others:
            self.results.owe(other, value, site, arg)
        self.results.bind_param(param, value, site)
