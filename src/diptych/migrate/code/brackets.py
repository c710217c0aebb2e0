"""Where the arguments of a call stand: the call, dicts that it unpacks, what fills those, callers of a wrapper.

Rule: an argument counts where every place that may give it is in sight. A dict may be filled by plain
assignments; ``**kwargs`` of a function are what its callers give it, if all of them are in this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import libcst as cst

from .functions import Functions
from .items import Items
from .source import Node, Source, bound, constant_of, dotted, key_of
from .values import is_log

#: Keys that are renamed or rewritten: a dict whose entry is read by one of them elsewhere stays.
_CHANGED: Final = frozenset(
    {"prompt", "max_tokens", "engine", "deployment_id", "logprobs", "echo", "suffix", "best_of", "model", "stop",
     "logit_bias", "stream"}
)  # fmt: skip


class Brackets(NamedTuple):
    """The brackets of one call: a list for each caller, which shares its later members with the others."""

    sets: list[list[Items]]
    #: The names that are unpacked and followed to a dict.
    names: list[cst.Name]

    @property
    def every(self) -> list[Items]:
        """All brackets, each once."""
        return list({id(bracket): bracket for each in self.sets for bracket in each}.values())


class Finder:
    """Looks for brackets in one source."""

    def __init__(self, source: Source, functions: Functions) -> None:
        self.source, self.functions = source, functions

    def of(self, call: cst.Call) -> Brackets:
        """Return where the arguments of a call stand; what stands elsewhere stays ``unpacked`` in its bracket."""
        own = Items(self.source, call)
        shared, names = [own], list[cst.Name]()
        callers: list[Items] | None = None
        for bracket in iter(shared):  # grows as dicts unpack others
            for value in list(bracket.unpacked):
                if (found := self._dict(value)) is not None:
                    bracket.unpacked.remove(value)
                    shared += found
                    names += [value] if isinstance(value, cst.Name) else []
                elif callers is None and (given := self._callers(value, own)) is not None:
                    bracket.unpacked.remove(value)
                    callers = given
        if callers is None:
            return Brackets([shared], names)
        return Brackets([[caller, *shared] for caller in callers], names)

    # dicts ---------------------------------------------------------------------------------------

    def _dict(self, value: Any) -> list[Items] | None:
        """Return the brackets of a dict that is unpacked: its literal, and what is put into it later."""
        if isinstance(value, cst.Dict):
            return [Items(self.source, value)]
        if not isinstance(value, cst.Name):
            return None
        found = self.source.bindings(value)
        if len(found) != 1 or not isinstance(found[0], cst.Name):
            return None
        kind, literal, _ = bound(self.source, found[0])
        if kind != "value" or not (isinstance(literal, cst.Dict) or self._makes_dict(literal)):
            return None
        is_constant = self.source.function_of(found[0]) is not self.source.function_of(value)
        if is_constant and (value.value in self.functions.exported or not self.source.is_global(found[0])):
            return None
        base = Items(self.source, literal)
        late = self.late(found[0], value.value, base)
        if late is None or (is_constant and late):  # when a constant is filled is not known elsewhere
            return None
        return [base, *late]

    def _makes_dict(self, node: Any) -> bool:
        if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Name) or node.func.value != "dict":
            return False
        return not self.source.bindings(node.func) and all(arg.keyword for arg in node.args)

    def late(self, binding: Node, name: str, base: Items, *, is_sent: bool = False) -> list[Items] | None:
        """Return what is put into a dict after its literal; None where it has a use that cannot be followed.

        ``is_sent`` says that whoever asks looks at the calls that the dict is an argument of.
        """
        found = []
        for load in self.source.readers(binding, name):
            outer: Any = self.source.parent(load)
            if isinstance(outer, cst.Arg) and (is_sent or outer.star == "**" or self._is_shown(outer)):
                continue
            if isinstance(outer, cst.Subscript) and outer.value is load:
                if isinstance(target := self.source.parent(outer), cst.AssignTarget):
                    found.append(Items.assigned(self.source, outer, self.source.parent(target), base))
                    continue
                if isinstance(key := key_of(outer), str) and key not in _CHANGED:
                    continue
            elif isinstance(outer, cst.Attribute) and (more := self._method(outer, base)) is not None:
                found += more
                continue
            return None
        return found

    def _method(self, node: cst.Attribute, base: Items) -> list[Items] | None:
        """Return what ``options.update(…)`` puts in; nothing for a read of a key that stays."""
        call: Any = self.source.parent(node)
        if not (isinstance(call, cst.Call) and call.func is node):
            return None
        if node.attr.value == "get" and call.args:
            key = constant_of(call.args[0].value)
            return [] if isinstance(key, str) and key not in _CHANGED else None
        if node.attr.value != "update":
            return None
        if len(call.args) == 1 and isinstance(call.args[0].value, cst.Dict) and not call.args[0].keyword:
            return [Items(self.source, call.args[0].value, base=base)]
        return [Items(self.source, call, base=base)] if all(arg.keyword for arg in call.args) else None

    def _is_shown(self, arg: cst.Arg) -> bool:
        call = self.source.parent(arg)
        if not isinstance(call, cst.Call):
            return False
        return is_log(call.func) or (dotted(call.func) in (("print",), ("len",)) and not arg.keyword)

    # wrappers ------------------------------------------------------------------------------------

    def _callers(self, value: Any, own: Items) -> list[Items] | None:
        """Return what callers give ``**kwargs`` of a function that unpacks them in the call."""
        function = self._wrapper(value)
        if function is None:
            return None
        calls = self.functions.calls_of(function)
        if isinstance(calls, str):
            own.why = calls
            return None
        params = function.params
        named = {p.name.value for p in (*params.params, *params.kwonly_params)}
        most = len(params.params) + len(params.posonly_params)
        found = []
        for call in calls:
            given = Items(self.source, call, leaving=named)
            if given.unpacked or any(arg.star == "*" for arg in call.args) or given.positional > most:
                own.why = f"line {self.source.line(call)} unpacks more"
                return None
            given.odd = ""
            found.append(given)
        self._without_star(function, own)
        return found or None

    def _wrapper(self, value: Any) -> cst.FunctionDef | None:
        """Return the function whose ``**kwargs`` a name is, where it is used here alone."""
        found = self.source.bindings(value) if isinstance(value, cst.Name) else []
        if len(found) != 1 or not isinstance(found[0], cst.Param):
            return None
        function = self.source.enclosing(found[0], cst.FunctionDef, cst.Lambda)
        if not isinstance(function, cst.FunctionDef) or function.params.star_kwarg is not found[0]:
            return None
        others = [load for load in self.source.readers(found[0], value.value) if load is not value]
        is_shown = all(isinstance(o := self.source.parent(load), cst.Arg) and self._is_shown(o) for load in others)
        return function if is_shown else None

    def _without_star(self, function: cst.FunctionDef, own: Items) -> None:
        """Let ``*args`` pass, where the function's own are given on and no caller gives any."""
        star = function.params.star_arg
        starred = [arg.value for arg in own.node.args if arg.star == "*"]
        if isinstance(star, cst.Param) and [getattr(v, "value", None) for v in starred] == [star.name.value]:
            if all(arg.keyword or arg.star for arg in own.node.args):
                own.odd = ""


def names_of(brackets: Sequence[Items], *, late: bool = False) -> Iterator[str]:
    """Yield the names that brackets give; with ``late`` those that are put in afterwards alone."""
    for bracket in brackets:
        if (bracket.base is not None) is late:
            yield from (item.name for item in bracket.items)
