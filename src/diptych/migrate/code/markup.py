"""Whether a prompt is put together from special tokens, wherever in the source they are written.

Rule: what an expression may hold is followed through names, attributes, parameters, functions and
containers of the module, and never too little: what is reached is looked at, whatever the control flow.
A prompt that reaches ``<|im_start|>``, ``[INST]``, ``apply_chat_template`` … and that no grammar has
read must not become the text of one user message.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cached_property
from typing import Any, Final

import libcst as cst

from .source import Node, Source, dotted, text_of

#: Special tokens of the formats here, and of families whose tokens look like them.
MARK: Final = re.compile(
    r"<[|｜][^<>|｜\n]{1,40}[|｜]>|<\|[a-z]\w*>|<[a-z]\w*\|>|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|gMASK)\]"
    r"|<</?SYS>>|</?s>|<(?:start|end)_of_turn>|<(?:bos|eos|eot|sop|eop|eod|BOS|EOS|im_start|im_end|extra_id_\d+)>"
    r"|<(?:PRE|SUF|MID|fim_\w+)>|<reserved_\d+>|<\w+:(?:bos|eos)>"
    r"|\]~b\]|\[e~\[|\[\|[a-z]\w*\|\]|<(?:human|bot)>:|\[Round \d+\]"
    r"|<[|｜]$|^[|｜]>"  # a token that is put together itself: "<|" + role + "|>"
)
#: Functions and attributes of tokenizers and templates that give special tokens.
_GIVES: Final = frozenset(
    {"apply_chat_template", "chat_template", "default_chat_template", "bos_token", "eos_token", "sep_token",
     "get_conv_template", "get_conversation_template", "build_inputs_with_special_tokens", "encode_chat_completion",
     "special_tokens_map", "all_special_tokens", "im_start", "im_end"}
)  # fmt: skip
_ADDS: Final = frozenset({"append", "extend", "insert", "add", "write", "writelines", "update", "setdefault"})
_COMPOSED: Final = (cst.Name, cst.Call, cst.FormattedString, cst.BinaryOperation, cst.ConcatenatedString)
_MOST: Final = 4_000


class Markup:
    """Looks for special tokens in what expressions of one source may hold."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._calls: dict[str, list[cst.Call]] = {}
        self._functions: dict[str, list[cst.FunctionDef]] = {}
        self._grown: dict[str, list[cst.AugAssign]] = {}
        self._of_classes: dict[str, list[cst.Name]] = {}
        self._returns: dict[Node, list[Any]] = {}

    @cached_property
    def _is_indexed(self) -> bool:
        """Look at the source once; most prompts never ask."""
        for node in self.source.nodes:
            match node:
                case cst.Call():
                    self._calls.setdefault(dotted(node.func)[-1], []).append(node)
                case cst.FunctionDef():
                    self._functions.setdefault(node.name.value, []).append(node)
                case cst.AugAssign():
                    self._grown.setdefault(dotted(node.target)[-1], []).append(node)
                case cst.Return() | cst.Yield():
                    self._returns.setdefault(self.source.function_of(node), []).append(node.value)
                case cst.Name() if self._is_in_class(node):
                    self._of_classes.setdefault(node.value, []).append(node)
        return True

    def found(self, *starts: Any, but: Collection[str] = ()) -> str:
        """Return the first special token, or name that gives one, that expressions may hold; "" where none is.

        ``but`` are tokens that do not count.
        """
        assert self._is_indexed
        waiting, seen = [start for start in starts if start is not None], set[int]()
        while waiting and len(seen) < _MOST:
            for inner in inside(waiting.pop()):
                if id(inner) in seen:
                    continue
                seen.add(id(inner))
                if mark := self._mark(inner, but):
                    return mark
                waiting += self._reached(inner)
        return ""

    def fills(self, written: Any, known: Collection[str]) -> str:
        """Return the first special token that fills a hole of a prompt, but for the ``known`` names.

        A literal that a function gives a name of its own is data, whatever it holds.
        """
        assert self._is_indexed
        for node in inside(written):
            if isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name) and node.value.value not in known:
                mark = self.found(node)
            elif isinstance(node, cst.Name) and node.value not in known and not self._is_attribute(node):
                mark = "" if self._is_data(node) else self.found(node)
            else:
                continue
            if mark:
                return mark
        return ""

    def _is_data(self, name: cst.Name) -> bool:
        found = self.source.bindings(name)
        if any(self.source.function_of(binding) is self.source.module for binding in found):
            return False
        values = [value for binding in found for value in self._bound(binding, name.value)]
        return all(not isinstance(inner, _COMPOSED) for value in values for inner in inside(value))

    def _mark(self, node: Any, but: Collection[str] = ()) -> str:
        text = text_of(node) if isinstance(node, cst.SimpleString) else None
        if isinstance(node, cst.FormattedString):  # a hole may stand inside a token: f"<|{role}|>"
            text = "".join(p.value if isinstance(p, cst.FormattedStringText) else "x" for p in node.parts)
        if text is not None:
            return next((found.group() for found in MARK.finditer(text) if found.group() not in but), "")
        name = node.value if isinstance(node, cst.Name) else ""
        return name if name in _GIVES else ""

    def _reached(self, node: Any) -> Iterator[Any]:
        """Yield the expressions that a name may stand for."""
        if isinstance(node, cst.Attribute):
            yield from self._attribute(node)
        elif isinstance(node, cst.Name) and not self._is_attribute(node):
            for binding in self.source.bindings(node):
                yield from self._bound(binding, node.value)
            own = set(self.source.bindings(node))
            same = [load for load in self.source.loads.get(node.value, ()) if own & set(self.source.bindings(load))]
            yield from self._added(node.value, same)

    def _is_attribute(self, node: cst.Name) -> bool:
        outer = self.source.parent(node)
        return (isinstance(outer, cst.Attribute) and outer.attr is node) or (
            isinstance(outer, cst.Arg) and outer.keyword is node
        )

    def _attribute(self, node: cst.Attribute) -> Iterator[Any]:
        """``self.prefix``, ``Config.PREFIX``, ``self.build()``: whatever in the module has that name."""
        name = node.attr.value
        same = self.source.attributes.get(name, ())
        for other in same:
            yield from self._assigned(other)
        yield from self._added(name, same)
        for function in self._functions.get(name, ()):
            yield from self._given_back(function)
        for own in self._of_classes.get(name, ()):
            yield from self._assigned(own)

    def _is_in_class(self, node: cst.Name) -> bool:
        outer = self.source.parent(node)
        return isinstance(outer, cst.AssignTarget | cst.AnnAssign) and isinstance(
            self.source.function_of(node), cst.ClassDef
        )

    def _bound(self, binding: Node, name: str) -> Iterator[Any]:
        if isinstance(binding, cst.FunctionDef):
            yield from self._given_back(binding)
        elif isinstance(binding, cst.ClassDef):
            yield binding.body
        elif isinstance(binding, cst.Param):
            yield from self._argument(binding, name)
        elif isinstance(binding, cst.Name):
            yield from self._assigned(binding)

    def _assigned(self, target: Node) -> Iterator[Any]:
        """Yield what is bound to a target: of an assignment, a loop, a ``with``, also inside a tuple."""
        for outer in self.source.ancestors(target):
            match outer:
                case cst.AssignTarget() | cst.Tuple() | cst.List() | cst.Element() | cst.StarredElement():
                    continue
                case cst.Assign() | cst.AnnAssign() | cst.AugAssign() | cst.NamedExpr():
                    yield from [outer.value] if outer.value is not None else []
                case cst.For() | cst.CompFor():
                    yield outer.iter
                case cst.AsName():
                    yield from [item.item for item in [self.source.parent(outer)] if isinstance(item, cst.WithItem)]
            return

    def _given_back(self, function: cst.FunctionDef) -> Iterator[Any]:
        yield from (value for value in self._returns.get(function, ()) if value is not None)

    def _argument(self, param: cst.Param, name: str) -> Iterator[Any]:
        """Yield the default of a parameter, and what the calls of its function here give it."""
        if param.default is not None:
            yield param.default
        function = self.source.enclosing(param, cst.FunctionDef)
        if function is None:
            return
        params = [*function.params.posonly_params, *function.params.params]
        number = params.index(param) if param in params else None
        called = function.name.value
        if called == "__init__":
            called = getattr(getattr(self.source.function_of(function), "name", None), "value", called)
        for call in self._calls.get(called, ()):
            is_method = isinstance(self.source.function_of(function), cst.ClassDef)
            positional = [arg.value for arg in call.args if not arg.keyword and not arg.star]
            yield from (arg.value for arg in call.args if arg.keyword and arg.keyword.value == name)
            # A method may be called with self or without it.
            for at in {number, number - 1} if number is not None and is_method else {number}:
                if at is not None and 0 <= at < len(positional):
                    yield positional[at]
            yield from (arg.value for arg in call.args if arg.star)

    def _added(self, name: str, uses: Any) -> Iterator[Any]:
        """Yield what is put into a container or added to a text: ``parts.append(…)``, ``parts[0] = …``."""
        for use in uses:
            outer: Any = self.source.parent(use)
            if isinstance(outer, cst.Attribute) and outer.value is use and outer.attr.value in _ADDS:
                call = self.source.parent(outer)
                yield from [arg.value for arg in call.args] if isinstance(call, cst.Call) else []
            elif isinstance(outer, cst.Subscript) and outer.value is use:
                yield from self._assigned(outer)
            elif isinstance(outer, cst.AugAssign) and outer.target is use:
                yield outer.value
        yield from (node.value for node in self._grown.get(name, ()))


def inside(node: Any) -> Iterator[Any]:
    """Yield a node and all inside it; keys of comparisons and slices too, for nothing is left out."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.children
