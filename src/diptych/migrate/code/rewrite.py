"""The syntax tree's side of the code migration; libcst is imported here alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst
from libcst.metadata import PositionProvider, ScopeProvider

from . import Change, Place, Refusal, chat_call, reason_against, substitute_of


def dotted(node: cst.BaseExpression) -> list[str]:
    """Return the names of ``a.b.c``; what is no name is an empty one."""
    if isinstance(node, cst.Attribute):
        return [*dotted(node.value), node.attr.value]
    return [node.value] if isinstance(node, cst.Name) else [""]


class _Visitor:
    file: str

    def place(self: Any, node: cst.CSTNode) -> Place:
        start = self.get_metadata(PositionProvider, node).start
        return Place(self.file, start.line, start.column + 1)


class Finder(_Visitor, cst.CSTVisitor):
    """Find the calls: which are migrated, which are refused, which names hold their results."""

    METADATA_DEPENDENCIES = (PositionProvider, ScopeProvider)

    def __init__(self, file: str) -> None:
        super().__init__()
        self.file = file
        self.good: set[cst.Call] = set()
        self.refusals: list[Refusal] = []
        #: Names that hold a migrated result, with the scope that they are assigned in.
        self.names: set[tuple[str, int]] = set()

    def visit_Call(self, node: cst.Call) -> None:
        if chat_call(dotted(node.func)) is None:
            return
        names = [arg.keyword.value if arg.keyword else None for arg in node.args if not arg.star]
        prompt = next((a.value for a in node.args if a.keyword and a.keyword.value == "prompt"), None)
        is_list = isinstance(prompt, cst.List | cst.Tuple | cst.ListComp)
        reason = reason_against(names, [arg.star for arg in node.args], is_list)
        if reason is None and dotted(node.func)[0] == "Completion":
            reason = "Completion was imported by its name: write openai.Completion, or import ChatCompletion"
        if reason is None:
            self.good.add(node)
        else:
            self.refusals.append(Refusal(self.place(node), reason))

    def leave_Assign(self, original_node: cst.Assign) -> None:
        value = original_node.value
        value = value.expression if isinstance(value, cst.Await) else value
        if value in self.good and len(original_node.targets) == 1:
            target = original_node.targets[0].target
            if isinstance(target, cst.Name):
                self.names.add((target.value, id(self.get_metadata(ScopeProvider, original_node, None))))


class Rewriter(_Visitor, cst.CSTTransformer):
    """Change the calls, and what is read of their results."""

    METADATA_DEPENDENCIES = (PositionProvider, ScopeProvider)

    def __init__(self, file: str, good: set[cst.Call], names: set[tuple[str, int]]) -> None:
        super().__init__()
        self.file, self.good, self.names = file, good, names
        self.changes: list[Change] = []

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if original_node not in self.good:
            return updated_node
        path = dotted(original_node.func)
        owner, method = chat_call(path) or ("", "")
        args = [_argument(arg) for arg in updated_node.args]
        if not any(
            arg.keyword and arg.keyword.value in ("max_tokens", "max_completion_tokens") for arg in updated_node.args
        ):
            # Completions stops after 16 tokens where no cap is given; Chat would not.
            args = [*args[:-1], _with_comma(args[-1]), _like(args[-1], "max_completion_tokens", cst.Integer("16"))]
        self.changes.append(Change(self.place(original_node), f"{'.'.join(path)} became {owner}.{method}"))
        head = original_node.func
        assert isinstance(head, cst.Attribute)
        return updated_node.with_changes(func=_renamed(head, owner, method), args=args)

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        if original_node.attr.value != "text" or not self._is_choice(original_node.value):
            return updated_node
        self.changes.append(Change(self.place(original_node), ".text became .message.content"))
        return cst.Attribute(cst.Attribute(updated_node.value, cst.Name("message")), cst.Name("content"))

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        if _key(original_node) != "text" or not self._is_choice(original_node.value):
            return updated_node
        self.changes.append(Change(self.place(original_node), '["text"] became ["message"]["content"]'))
        message = updated_node.with_changes(slice=_index("message"))
        return cst.Subscript(message, _index("content"))

    def _is_choice(self, node: cst.BaseExpression) -> bool:
        """Tell whether an expression is ``result.choices[…]`` of a migrated call."""
        if not isinstance(node, cst.Subscript):
            return False
        inner = node.value
        if isinstance(inner, cst.Attribute) and inner.attr.value == "choices":
            return self._is_result(inner.value)
        return isinstance(inner, cst.Subscript) and _key(inner) == "choices" and self._is_result(inner.value)

    def _is_result(self, node: cst.BaseExpression) -> bool:
        if isinstance(node, cst.Await):
            node = node.expression
        if isinstance(node, cst.Call):
            return node in self.good
        scope = self.get_metadata(ScopeProvider, node, None)
        return isinstance(node, cst.Name) and (node.value, id(scope)) in self.names


def _renamed(func: cst.Attribute, owner: str, method: str) -> cst.Attribute:
    """Return ``x.completions.create`` as ``x.chat.completions.create``, the rest as it was written."""
    inner = func.value
    *before, last = owner.split(".")
    if not isinstance(inner, cst.Attribute):
        return func.with_changes(value=cst.parse_expression(owner), attr=cst.Name(method))  # completions.create
    value = inner.value
    for name in before:
        value = cst.Attribute(value, cst.Name(name))
    return func.with_changes(value=inner.with_changes(value=value, attr=cst.Name(last)), attr=cst.Name(method))


def _argument(arg: cst.Arg) -> cst.Arg:
    name = arg.keyword.value if arg.keyword else ""
    if name == "prompt":
        role = cst.DictElement(cst.SimpleString('"role"'), cst.SimpleString('"user"'))
        content = cst.DictElement(cst.SimpleString('"content"'), arg.value)
        return arg.with_changes(keyword=cst.Name("messages"), value=cst.List([cst.Element(cst.Dict([role, content]))]))
    if name == "max_tokens":
        return arg.with_changes(keyword=cst.Name("max_completion_tokens"))
    if name == "engine":
        arg = arg.with_changes(keyword=cst.Name("model"))
    if name in ("model", "engine") and isinstance(arg.value, cst.SimpleString):
        found = substitute_of(arg.value.evaluated_value)
        return arg.with_changes(value=cst.SimpleString(f'"{found}"')) if found else arg
    return arg


def _like(arg: cst.Arg, name: str, value: cst.BaseExpression) -> cst.Arg:
    """Return a new last argument, set as the one before it."""
    return cst.Arg(
        value,
        cst.Name(name),
        equal=cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace("")),
        comma=arg.comma,
    )


def _with_comma(arg: cst.Arg) -> cst.Arg:
    return arg.with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))


def _index(key: str) -> Sequence[cst.SubscriptElement]:
    return [cst.SubscriptElement(cst.Index(cst.SimpleString(f'"{key}"')))]


def _key(node: cst.Subscript) -> str | None:
    if len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Index):
        value = node.slice[0].slice.value
        if isinstance(value, cst.SimpleString) and isinstance(value.evaluated_value, str):
            return value.evaluated_value
    return None
