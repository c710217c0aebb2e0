"""Where the name of a model may come from: class attributes, defaults, dicts, the environment, options.

Rule: every literal that an expression may give is found, or it is said that more may come. What a caller or
the environment gives stays unknown beside the default that the source writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import libcst as cst

from .source import Node, Source, bound, dotted, key_of, name_of, text_of
from .webs import reaching

_DEPTH: Final = 6
#: Functions that give their second argument where the first names nothing.
_DEFAULTED: Final = frozenset({"get", "getenv", "getattr", "pop", "setdefault"})


class Held(NamedTuple):
    """The literals that a model's expression may give; ``more`` says that other values may come, too."""

    literals: tuple[Any, ...]
    more: bool


class Holders:
    """Follows models through one source."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def of(self, node: Any) -> Held:
        """Return what an expression may hold."""
        found = list(self._leaves(node, _DEPTH))
        literals = tuple(dict.fromkeys(leaf for leaf in found if leaf is not None))
        return Held(literals, None in found or not found)

    def _leaves(self, node: Any, depth: int) -> Iterator[Any]:
        """Yield literals; None for what cannot be followed."""
        if text_of(node) is not None:
            yield node
        elif depth == 0 or node is None:
            yield None
        elif isinstance(node, cst.IfExp):
            yield from self._leaves(node.body, depth - 1)
            yield from self._leaves(node.orelse, depth - 1)
        elif isinstance(node, cst.BooleanOperation):
            yield from self._leaves(node.left, depth - 1)
            yield from self._leaves(node.right, depth - 1)
        elif isinstance(node, cst.Name):
            found = reaching(self.source, node)
            yield from () if found else (None,)
            for binding in found:
                yield from self._bound(binding, depth - 1)
        elif isinstance(node, cst.Attribute):
            yield from self._attribute(node.attr.value, depth - 1)
        elif isinstance(node, cst.Subscript):
            yield from self._item(node, depth - 1)
        elif isinstance(node, cst.Call) and dotted(node.func)[-1] in _DEFAULTED and len(node.args) > 1:
            number = 2 if dotted(node.func)[-1] == "getattr" else 1
            yield from (leaf for arg in node.args[number:] for leaf in self._leaves(arg.value, depth - 1))
            yield None
        else:
            yield None

    def _bound(self, binding: Node, depth: int) -> Iterator[Any]:
        if isinstance(binding, cst.Param):
            yield None  # what callers give
            if binding.default is not None:
                yield from self._leaves(binding.default, depth)
        elif isinstance(binding, cst.Name):
            kind, value, _ = bound(self.source, binding)
            yield from self._leaves(value if kind == "value" else None, depth)
        else:
            yield None

    def _attribute(self, name: str, depth: int) -> Iterator[Any]:
        """Yield what a field of that name is given: in classes, on objects, by an option of the command line."""
        values = [*self._set(name), *self._in_classes(name), *self._options(name)]
        if not values:
            yield None
        for value in values:
            yield from self._leaves(value, depth)

    def _set(self, name: str) -> Iterator[Any]:
        for node in self.source.attributes.get(name, ()):
            target: Any = self.source.parent(node)
            if isinstance(target, cst.AssignTarget):
                yield self.source.parent(target).value  # type: ignore[attr-defined]
            elif isinstance(target, cst.AnnAssign) and target.target is node:
                yield target.value

    def _in_classes(self, name: str) -> Iterator[Any]:
        for node in self.source.nodes:
            if isinstance(node, cst.Name) and name_of(node) == name:
                if isinstance(self.source.function_of(node), cst.ClassDef):
                    kind, value, _ = bound(self.source, node)
                    if kind == "value" and value is not None:
                        yield self._of_field(value)

    def _of_field(self, value: Any) -> Any:
        """Return the default of ``field(default=…)``, and of pydantic's and the command line's kin."""
        if not isinstance(value, cst.Call) or dotted(value.func)[-1] not in ("field", "Field", "Option", "Argument"):
            return value
        named = next((arg.value for arg in value.args if arg.keyword and arg.keyword.value == "default"), None)
        first = next((arg.value for arg in value.args if not arg.keyword), None)
        return named if named is not None else first

    def _options(self, name: str) -> Iterator[Any]:
        """Yield the defaults of ``add_argument("--model", default=…)``, and of click's options."""
        for node in self.source.nodes:
            if not isinstance(node, cst.Call) or dotted(node.func)[-1] not in ("add_argument", "option"):
                continue
            names = [text_of(arg.value) or "" for arg in node.args if not arg.keyword]
            if any(each.lstrip("-").replace("-", "_") == name for each in names):
                yield from (arg.value for arg in node.args if arg.keyword and arg.keyword.value == "default")

    def _item(self, node: cst.Subscript, depth: int) -> Iterator[Any]:
        """Yield the values of ``MODELS["small"]``: that of the key, or all of them where the key is not a literal."""
        value = self._dict(node.value)
        if value is None:
            yield None
            return
        key = key_of(node)
        entries = [e for e in value.elements if isinstance(e, cst.DictElement)]
        chosen = [e for e in entries if text_of(e.key) == key] if isinstance(key, str) else entries
        if not chosen or len(entries) < len(value.elements):
            yield None
        for entry in chosen:
            yield from self._leaves(entry.value, depth)

    def _dict(self, node: Any) -> cst.Dict | None:
        if isinstance(node, cst.Name):
            found = self.source.bindings(node)
            node = bound(self.source, found[0])[1] if len(found) == 1 and isinstance(found[0], cst.Name) else None
        return node if isinstance(node, cst.Dict) else None
