"""LangChain definitions in a Python source become the specs of :mod:`.langchain`.

Rule: nothing is executed. A definition is read where every argument is a literal: strings and
their implicit concatenation, ``+`` of literals, lists, tuples, mappings, and names that the
module binds once to such. What is not is refused with its place and the reason.

===============================================  =============================================
``x = PromptTemplate.from_template("…")``        the template ``x``
``x = PromptTemplate(template=…, …)``            with its variables, partials and format
``x = ChatPromptTemplate.from_messages([…])``    and ``ChatPromptTemplate([…])``
``("system", "…")``, ``"…"``                     messages
``SystemMessagePromptTemplate.from_template``    and Human, AI, Chat: messages with holes
``SystemMessage("…")``                           and Human, AI: a message without holes
``MessagesPlaceholder("h", optional=True)``      a history
``FewShotPromptTemplate(examples=[…], …)``       one prompt, its examples written out
``x.partial(name="…")`` on a definition          a default
``return PromptTemplate(…)``, calls, f-strings   refused where it is a prompt, else passed over
===============================================  =============================================
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any, Final

from ...errors import MigrationError
from .draft import Draft
from .langchain import write_spec
from .model import Layout, Source

_PROMPTS: Final = {"PromptTemplate", "ChatPromptTemplate", "FewShotPromptTemplate"}
_MESSAGES: Final = {
    "SystemMessagePromptTemplate": "system", "SystemMessage": "system",
    "HumanMessagePromptTemplate": "user", "HumanMessage": "user",
    "AIMessagePromptTemplate": "assistant", "AIMessage": "assistant",
}  # fmt: skip
_LANGCHAIN: Final = ("langchain", "langchain_core", "langchain_community", "langchain_classic")


class _NotLiteral(Exception):
    """What an expression is instead of a literal, and the node where."""

    def __init__(self, node: ast.AST, reason: str) -> None:
        super().__init__(reason)
        self.node = node
        self.reason = reason


def read_all(source: Source) -> tuple[list[Draft], list[MigrationError]]:
    """Return a draft for each definition, and what is refused. Raises MigrationError for no Python."""
    reader = _Reader(_parsed(source))
    drafts: list[Draft] = []
    refusals: list[MigrationError] = []
    taken: set[str] = set()
    for name, call in reader.definitions():
        draft = Draft(source.filename, name)
        try:
            if name in taken:
                raise _NotLiteral(call, f"{name} is bound twice")
            taken.add(name)
            write_spec(reader.spec(call), draft)
            drafts.append(draft)
        except _NotLiteral as error:
            refusals.append(_refusal(source, error.node, f"{name or 'a prompt'}: {error.reason}"))
        except MigrationError as error:
            refusals.append(_refusal(source, call, f"{name}: {error.message}", error.hint))
    return drafts, refusals


def _refusal(source: Source, node: ast.AST, reason: str, hint: str | None = None) -> MigrationError:
    line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1
    return MigrationError(reason, path=f"{source.filename}:{line}:{column}", hint=hint)


def _parsed(source: Source) -> ast.Module:
    try:
        return ast.parse(source.text)
    except SyntaxError as error:
        place = f"{source.filename}:{error.lineno or 1}:{error.offset or 1}"
        raise MigrationError("the source is no Python", path=place) from None
    except (ValueError, RecursionError, MemoryError):
        raise MigrationError("the source is no Python", path=source.filename) from None


def read(_: Source, draft: Draft) -> None:
    """Refuse: a Python source is read by :func:`read_all`."""
    raise draft.refuse("a Python source holds definitions", hint="take them by migrate_templates")


class _Reader:
    """Literals and definitions of one module."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._bound: dict[str, list[ast.expr | None]] = {}
        self._aliases: dict[str, str] = {}
        for node in ast.walk(tree):
            self._note(node)

    def _note(self, node: ast.AST) -> None:
        """Note what a statement binds; anything but one plain assignment makes a name unknown."""
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                is_ours = (node.module or "").split(".")[0] in _LANGCHAIN
                if is_ours and alias.asname:
                    self._aliases[alias.asname] = alias.name
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, node.value if len(node.targets) == 1 else None)
        elif isinstance(node, ast.AnnAssign):
            self._bind(node.target, node.value)
        elif isinstance(node, ast.AugAssign | ast.For | ast.AsyncFor | ast.NamedExpr):
            self._bind(node.target, None)
        elif isinstance(node, ast.arg):
            self._bound.setdefault(node.arg, []).append(None)

    def _bind(self, target: ast.expr, value: ast.expr | None) -> None:
        for name in ast.walk(target):
            if isinstance(name, ast.Name):
                self._bound.setdefault(name.id, []).append(value if name is target else None)

    # definitions -----------------------------------------------------------------------------

    def definitions(self) -> list[tuple[str, ast.Call]]:
        """Return the prompts that a name is bound to, and those that none is, in order."""
        named: dict[ast.Call, str] = {}
        inner: set[ast.AST] = set()
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                if self._is_prompt(node.value):
                    named[node.value] = target.id if isinstance(target, ast.Name) else getattr(target, "attr", "prompt")
        calls = [node for node in ast.walk(self._tree) if isinstance(node, ast.Call) and self._is_prompt(node)]
        for call in calls:
            inner |= {child for child in ast.walk(call) if child is not call}
        outer = sorted((call for call in calls if call not in inner), key=lambda call: (call.lineno, call.col_offset))
        return [
            (named.get(call) or f"prompt_{call.lineno}", call) for call in outer if not self._is_example(call, named)
        ]

    def _is_example(self, call: ast.Call, named: Mapping[ast.Call, str]) -> bool:
        """True for the prompt of another one's examples: it is no template of its own."""
        name = named.get(call)
        keywords = (keyword for node in ast.walk(self._tree) if isinstance(node, ast.Call) for keyword in node.keywords)
        return name is not None and any(
            keyword.arg == "example_prompt" and isinstance(keyword.value, ast.Name) and keyword.value.id == name
            for keyword in keywords
        )

    def _class_of(self, function: ast.expr) -> tuple[str, str]:
        """Return the class and the method of a call: ``PromptTemplate.from_template``."""
        method = ""
        if isinstance(function, ast.Attribute) and function.attr.startswith("from_"):
            method, function = function.attr, function.value
        name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
        return self._aliases.get(name, name), method

    def _is_prompt(self, call: ast.Call) -> bool:
        if (
            isinstance(call.func, ast.Attribute)
            and call.func.attr == "partial"
            and isinstance(call.func.value, ast.Call)
        ):
            return self._is_prompt(call.func.value)
        return self._class_of(call.func)[0] in _PROMPTS

    # specs -----------------------------------------------------------------------------------

    def spec(self, call: ast.Call) -> dict[str, Any]:
        """Return the spec of a prompt. Raises _NotLiteral."""
        if (
            isinstance(call.func, ast.Attribute)
            and call.func.attr == "partial"
            and isinstance(call.func.value, ast.Call)
        ):
            spec = self.spec(call.func.value)
            return {**spec, "partial_variables": {**spec.get("partial_variables", {}), **self._keywords(call)}}
        kind, method = self._class_of(call.func)
        given = self._arguments(call, kind, method)
        if kind == "ChatPromptTemplate":
            return self._chat(call, given, method)
        if kind == "FewShotPromptTemplate":
            return {**given, "_type": "few_shot"}
        if method not in ("", "from_template"):
            raise _NotLiteral(call, f"{method} is not read")
        return {**given, "_type": "prompt"}

    def _chat(self, call: ast.Call, given: dict[str, Any], method: str) -> dict[str, Any]:
        if method == "from_template":
            given = {**given, "messages": [{"role": "user", "template": given.pop("template", None)}]}
        elif method not in ("", "from_messages"):
            raise _NotLiteral(call, f"{method} is not read")
        form = given.get("template_format")
        messages = given.get("messages")
        if not isinstance(messages, list):
            raise _NotLiteral(call, "there are no messages")
        return {**given, "_type": "chat", "messages": [self._message(entry, form, call) for entry in messages]}

    def _message(self, entry: Any, form: Any, call: ast.Call) -> dict[str, Any]:
        formatted = {"template_format": form} if form else {}
        if isinstance(entry, str):
            return {"role": "user", "template": entry, **formatted}
        if isinstance(entry, tuple | list) and len(entry) == 2 and isinstance(entry[0], str):
            role, content = entry
            if role == "placeholder":
                is_optional = not isinstance(content, list) or len(content) < 2 or bool(content[1])
                name = content[0] if isinstance(content, list) and content else content
                return {"variable_name": str(name).strip("{}"), "optional": is_optional}
            if isinstance(content, list):
                return {
                    "role": role,
                    "prompt": [part if isinstance(part, Mapping) else {"text": part} for part in content],
                }
            return {"role": role, "template": content, **formatted}
        if isinstance(entry, Mapping):
            if (
                "content" in entry
                and isinstance(entry.get("content"), str)
                and "role" in entry
                and "literal" not in entry
            ):
                return {"role": entry["role"], "template": entry["content"], **formatted}
            return {key: value for key, value in entry.items() if key != "literal"}
        raise _NotLiteral(call, "a message is neither a role with a text nor a class that is read")

    def _arguments(self, call: ast.Call, kind: str, method: str) -> dict[str, Any]:
        """Return the arguments of a call by name."""
        positional = {"PromptTemplate": "template", "ChatPromptTemplate": "messages"}.get(kind, "")
        positional = "template" if method == "from_template" else positional
        given = self._keywords(call)
        for number, argument in enumerate(call.args):
            if isinstance(argument, ast.Starred) or number or not positional:
                raise _NotLiteral(argument, "arguments without names cannot be seen")
            given[positional] = self.value(argument)
        if isinstance(given.get("examples"), tuple):
            given["examples"] = list(given["examples"])
        return given

    def _keywords(self, call: ast.Call) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for keyword in call.keywords:
            if keyword.arg is None:
                raise _NotLiteral(keyword.value, "arguments that are unpacked cannot be seen")
            found[keyword.arg] = self.value(keyword.value)
        return found

    # literals --------------------------------------------------------------------------------

    def value(self, node: ast.expr, depth: int = 0) -> Any:
        """Return the value of a literal, of a name bound once to one, or the spec of a class that is read."""
        if depth > 50:
            raise _NotLiteral(node, "it is nested too deeply")
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return self._of_name(node, depth)
        if isinstance(node, ast.List):
            return [self.value(item, depth + 1) for item in node.elts]
        if isinstance(node, ast.Tuple):
            return tuple(self.value(item, depth + 1) for item in node.elts)
        if isinstance(node, ast.Dict):
            return self._of_dict(node, depth)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self.value(node.left, depth + 1), self.value(node.right, depth + 1)
            if type(left) is type(right) and isinstance(left, str | list | tuple):
                return left + right
        if isinstance(node, ast.Call):
            return self._of_call(node)
        reason = "an f-string is filled in before" if isinstance(node, ast.JoinedStr) else "it is no literal"
        raise _NotLiteral(node, reason)

    def _of_name(self, node: ast.Name, depth: int) -> Any:
        values = self._bound.get(node.id, [])
        if len(values) != 1 or values[0] is None:
            raise _NotLiteral(node, f"{node.id} is not bound once to a literal")
        return self.value(values[0], depth + 1)

    def _of_dict(self, node: ast.Dict, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                raise _NotLiteral(value, "a mapping that is unpacked cannot be seen")
            found[str(self.value(key, depth + 1))] = self.value(value, depth + 1)
        return found

    def _of_call(self, call: ast.Call) -> Any:
        kind, method = self._class_of(call.func)
        if self._is_prompt(call):
            return self.spec(call)
        if kind == "MessagesPlaceholder":
            given = self._keywords(call)
            name = self.value(call.args[0]) if call.args else given.get("variable_name")
            return {"variable_name": name, "optional": bool(given.get("optional")), "literal": True}
        if kind in _MESSAGES or kind in ("ChatMessagePromptTemplate", "ChatMessage"):
            given = self._keywords(call)
            field = "template" if method == "from_template" else "content"
            if call.args:
                given[field] = self.value(call.args[0])
            role = _MESSAGES.get(kind) or given.pop("role", None)
            return {**given, "role": role, "literal": True}
        called = ast.unparse(call.func)
        raise _NotLiteral(call, f"{called[:40]}(…) is only known when it runs")


def _is_certain(source: Source) -> bool:
    if not source.name.endswith(".py") or "langchain" not in source.text or "PromptTemplate" not in source.text:
        return False
    try:
        return bool(_Reader(_parsed(source)).definitions())
    except MigrationError:
        return False


LAYOUT: Final = Layout(
    "langchain-python",
    read,
    _is_certain,
    lambda source: source.name.endswith(".py"),
    rank=16,
    read_all=read_all,
)
