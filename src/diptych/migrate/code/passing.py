"""Where an answer is passed to: Python's own functions, lists that are built, functions of the module.

Rule: a function is known by what its name is bound to, not by how it is called; one of another
module refuses the call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import libcst as cst

from .bindings import import_path
from .functions import Functions
from .source import Source, bound, dotted
from .uses import Bind, BindName, BindParam, Escape, Follow, Owe, Say, Use
from .values import Value, is_log, is_nothing, is_shown, is_text, one_of
from .webs import reaching

#: Modules whose functions of these names are the ones that are meant.
_MODULES: Final = frozenset({"asyncio", "builtins", "pprint", "random", "tqdm"})
#: Functions that give the answers on as they are.
_THROUGH: Final = frozenset({"gather", "wait_for", "shield", "create_task", "ensure_future", "run"})
_LISTS: Final = frozenset({"list", "tuple", "reversed", "sorted", "iter", "aiter", "tqdm", "as_completed"})
_ITEMS: Final = frozenset({"next", "anext", "max", "min", "choice"})
#: What reads data back.
_LOADS: Final = re.compile(r"\bjson\.loads?\b|\bpickle\.loads?\b|\bread_json\b")
_HARMLESS: Final = frozenset({"len", "print", "pprint", "type", "id", "bool", "callable"})


class Passing:
    """Looks at what answers are passed to and yields what comes back, as uses."""

    def __init__(self, source: Source, functions: Functions) -> None:
        self.source, self.functions = source, functions

    def argument(self, arg: cst.Arg, call: Any, value: Value) -> Iterator[Use]:
        """Yield the uses of an answer that is an argument."""
        if not isinstance(call, cst.Call):
            yield Escape(arg)
            return
        name, is_list = self._library(call.func), bool(value.many) or value.kind == "stream"
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == "append" and not is_log(call.func):
            yield from self._appended(call.func.value, value)
        elif name in _THROUGH:
            yield from self._passed_through(arg, call, name, value)
        elif name in _HARMLESS or is_log(call.func):
            return
        elif self._is_dumped(call, value):
            yield Say(call, "what is written out has Chat's shape now")
        elif is_text(call) and is_shown(self.source, call):
            return
        elif name == "enumerate" and is_list:
            yield from self._enumerated(call, value)
        elif name in _LISTS and is_list:
            yield from self._keyed(call, value)
            yield Follow(call, value)
        elif name in _ITEMS and value.kind == "choice" and value.is_chunk:
            yield Escape(arg, "a chunk may have no choices")
        elif name in ("next", "anext") and value.kind == "stream" and not value.many:
            yield Escape(arg, "the first chunk of a Chat stream holds the role alone")
        elif name in _ITEMS and is_list and not self._has_default(call, name):
            yield from self._keyed(call, value)
            yield Follow(call, one_of(value))
        elif name in ("map", "filter") and is_list and self._has_lambda(arg, call):
            yield BindParam(call.args[0].value.params.params[0], one_of(value))  # type: ignore[attr-defined]
            if name == "filter":
                yield Follow(call, value)
        elif name == "zip" and is_list:
            yield from self._zipped(arg, call, value)
        elif isinstance(call.func, cst.Name):
            yield from self._given(arg, call, value)
        else:
            yield Escape(arg, f"it is passed to {'.'.join(dotted(call.func)) or 'a call'}")

    def _is_dumped(self, call: cst.Call, value: Value) -> bool:
        """Tell whether an answer is written to a file or printed, and nothing here reads such files."""
        if value.kind != "response" or value.is_chunk or _LOADS.search(self.source.text):
            return False
        names = dotted(call.func)
        if names == ("json", "dump"):
            return True
        outer = self.source.parent(call)
        if names not in (("json", "dumps"), ("str",), ("repr",)) or not isinstance(outer, cst.Arg):
            return False
        around = self.source.parent(outer)
        return isinstance(around, cst.Call) and dotted(around.func)[-1] in ("print", "pprint", "write")

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

    def _keyed(self, call: cst.Call, value: Value) -> Iterator[Use]:
        """Follow the parameter of ``key=lambda choice: …``."""
        for arg in call.args:
            if arg.keyword and arg.keyword.value == "key":
                if isinstance(arg.value, cst.Lambda) and len(arg.value.params.params) == 1:
                    yield BindParam(arg.value.params.params[0], one_of(value))
                else:
                    yield Escape(arg, "a key that is not a literal")
                return

    def _passed_through(self, arg: cst.Arg, call: cst.Call, name: str, value: Value) -> Iterator[Use]:
        if name == "gather":
            if any(a.keyword and a.keyword.value == "return_exceptions" for a in call.args):
                yield Escape(arg, "exceptions are gathered, too")
                return
            for other in call.args:
                if other is not arg and not other.keyword:
                    yield Owe(other.value, value, call)
            yield Follow(call, value if arg.star == "*" else replace(value, many=value.many + 1))
        else:
            yield Follow(call, value)

    def _enumerated(self, call: cst.Call, value: Value) -> Iterator[Use]:
        """``for i, choice in enumerate(choices)``."""
        loop = self.source.parent(call)
        target = loop.target if isinstance(loop, cst.For | cst.CompFor) and loop.iter is call else None
        if isinstance(target, cst.Tuple) and len(target.elements) == 2:
            yield Bind(target.elements[1].value, one_of(value))
        else:
            yield Escape(call)

    def _zipped(self, arg: cst.Arg, call: cst.Call, value: Value) -> Iterator[Use]:
        loop = self.source.parent(call)
        target = loop.target if isinstance(loop, cst.For | cst.CompFor) and loop.iter is call else None
        number = list(call.args).index(arg)
        if isinstance(target, cst.Tuple) and len(target.elements) > number and not any(a.star for a in call.args):
            yield Bind(target.elements[number].value, one_of(value))
        else:
            yield Escape(call)

    def _appended(self, name: Any, value: Value) -> Iterator[Use]:
        """``answers.append(answer)``: the list holds answers, if it holds nothing else."""
        bindings = reaching(self.source, name) if isinstance(name, cst.Name) else []
        if len(bindings) != 1 or not isinstance(bindings[0], cst.Name):
            yield Escape(name, "it is appended to a list that cannot be followed")
            return
        kind, start, _ = bound(self.source, bindings[0])
        if kind != "value" or not is_nothing(start):
            yield Escape(name, "it is appended to a list that cannot be followed")
            return
        for load in self.source.readers(bindings[0], name.value):
            call = self.source.enclosing(load, cst.Call)
            if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and call.func.value is load:
                for arg in call.args if call.func.attr.value in ("append", "extend", "insert") else ():
                    many = 1 if call.func.attr.value == "extend" else 0
                    yield Owe(arg.value, replace(value, many=value.many + many), call)
        yield BindName(bindings[0], name.value, replace(value, many=value.many + 1))

    def _given(self, arg: cst.Arg, call: cst.Call, value: Value) -> Iterator[Use]:
        """An answer is given to a function of the module: follow its parameter."""
        found = self.functions.parameter(arg, call)
        if isinstance(found, str):
            yield Escape(arg, found)
            return
        param, others = found
        for other in others:
            yield Owe(other, value, arg)
        yield BindParam(param, value)
