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
``x.partial(name="…")`` on a definition          a default, under a name of its own
``+``, ``+=``, ``x.append(…)``, copies, further  refused where they stand: a definition that is changed
names, assignments to a part                     is not what it says
``return PromptTemplate(…)``, calls, f-strings   refused where it is a prompt, else passed over
===============================================  =============================================
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any, Final

from ...errors import MigrationError
from .draft import Draft
from .langchain import write_spec
from .model import Layout, Source
from .python_names import Names, Variable
from .python_uses import Found, Uses

_PROMPTS: Final = {"PromptTemplate", "ChatPromptTemplate", "FewShotPromptTemplate"}
_MESSAGES: Final = {
    "SystemMessagePromptTemplate": "system", "SystemMessage": "system",
    "HumanMessagePromptTemplate": "user", "HumanMessage": "user",
    "AIMessagePromptTemplate": "assistant", "AIMessage": "assistant",
}  # fmt: skip
#: Classes of prompts that are not read.
_UNREAD: Final = {
    "FewShotChatMessagePromptTemplate", "FewShotPromptWithTemplates", "PipelinePromptTemplate", "StructuredPrompt",
    "ImagePromptTemplate", "DictPromptTemplate", "AutoGPTPrompt",
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
    refusals = [(found.node, _refusal(source, found)) for found in reader.refused()]
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
            found = Found(error.node, name or "a prompt", error.reason, "")
            refusals.append((error.node, _refusal(source, found)))
        except MigrationError as error:
            refusals.append((call, _refusal(source, Found(call, name, error.message, error.hint or ""))))
    return drafts, [refusal for _, refusal in sorted(refusals, key=lambda one: _place(one[0]))]


def _place(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1


def _refusal(source: Source, found: Found) -> MigrationError:
    line, column = _place(found.node)
    place = f"{source.filename}:{line}:{column}"
    return MigrationError(f"{found.name}: {found.reason}", path=place, hint=found.hint or None)


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
        self._names = Names(tree)
        self._aliases: dict[str, str] = {}
        self._calls: dict[ast.Call, bool] = {}
        for node in self._names.nodes:
            self._note(node)
        self._uses = Uses(self._names, self._is_prompt, self._is_annotation)

    def _note(self, node: ast.AST) -> None:
        """Note a further name of a class of LangChain: by an import, or by one plain assignment."""
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in _LANGCHAIN:
            self._aliases |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.Assign) and self._is_class(node.value) and not self._is_maker(node.value):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    self._aliases[target.id] = self._class_of(node.value)[0]

    def _is_annotation(self, node: ast.expr) -> bool:
        """True for an annotation that names a class of prompts, in quotes or as one of several."""
        texts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
        is_quoted = any(isinstance(text, str) and _PROMPTS & set(re.findall(r"\w+", text)) for text in texts)
        return is_quoted or any(isinstance(part, ast.expr) and self._is_class(part) for part in ast.walk(node))

    def _is_class(self, node: ast.expr) -> bool:
        """True for an expression that is a class of prompts."""
        return isinstance(node, ast.Name | ast.Attribute) and self._class_of(node)[0] in _PROMPTS

    # definitions -----------------------------------------------------------------------------

    def definitions(self) -> list[tuple[str, ast.Call]]:
        """Return the prompts that are what their definition says, with the names they are bound to, in order."""
        calls = [node for node in self._names.nodes if isinstance(node, ast.Call) and self._is_prompt(node)]
        inner = {child for call in calls for child in ast.walk(call) if child is not call}
        outer = sorted((call for call in calls if call not in inner), key=_place)
        outer = [call for call in outer if not self._is_passed_over(call)]
        names = [self._uses.name_of(call) for call in outer]
        variables = [self._variable(call) for call in outer]
        shared = {
            name for name in names if len({v for n, v in zip(names, variables, strict=True) if n == name and v}) > 1
        }
        return [
            (self._names.qualified(call, name) if name in shared else name, call)
            for name, call in zip(names, outer, strict=True)
        ]

    def _is_passed_over(self, call: ast.Call) -> bool:
        """True for a piece of what is refused, for a prompt that is changed, and for one of another's examples."""
        variable = self._variable(call)
        return call in self._uses.consumed or self._uses.is_spoiled(variable) or self._is_example(variable)

    def _variable(self, node: ast.AST) -> Variable | None:
        """Return the variable that a definition is bound to, in a list or mapping or by itself."""
        above = self._names.parents.get(node)
        while isinstance(above, ast.Dict | ast.List | ast.Tuple | ast.Set):
            above = self._names.parents.get(above)
        if isinstance(above, ast.Assign):
            return self._names.variable(above.targets[0])
        return self._names.variable(above.target) if isinstance(above, ast.AnnAssign | ast.NamedExpr) else None

    def _is_example(self, variable: Variable | None) -> bool:
        """True for the prompt of another one's examples: it is no template of its own."""
        return variable is not None and any(
            isinstance(node, ast.keyword)
            and node.arg == "example_prompt"
            and self._names.variable(node.value) == variable
            for node in self._names.nodes
        )

    def refused(self) -> list[Found]:
        """Return what makes or changes a prompt in a way that is not read."""
        found = [*self._uses.found, *self._uses.rebound()]
        for node in self._names.nodes:
            if isinstance(node, ast.ClassDef) and any(map(self._is_class, node.bases)):
                found.append(Found(node, node.name, "it is a class of prompts of its own"))
            elif isinstance(node, ast.Call) and self._is_handed_on(node):
                found.append(Found(node, self._uses.name_of(node), "it is made by another function when it runs"))
            elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value and self._is_maker(node.value):
                found.append(
                    Found(node, self._uses.name_of(node.value), "a method that makes prompts has another name")
                )
        return found

    def _is_handed_on(self, call: ast.Call) -> bool:
        """True for a call that makes prompts by a class it is given, and for a class that is not read."""
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in ("partial", "map", "starmap") and not self._is_prompt(call):
            return any(self._is_class(argument) or self._is_maker(argument) for argument in call.args)
        is_unread = self._class_of(call.func)[0] in _UNREAD
        return is_unread and not isinstance(self._names.parents.get(call), ast.List | ast.Tuple)

    def _is_maker(self, node: ast.expr) -> bool:
        """True for ``PromptTemplate.from_template`` itself, which is not called."""
        return isinstance(node, ast.Attribute) and node.attr.startswith("from_") and self._is_class(node.value)

    def _class_of(self, function: ast.expr) -> tuple[str, str]:
        """Return the class and the method of a call: ``PromptTemplate.from_template``."""
        method = ""
        if isinstance(function, ast.Attribute) and function.attr.startswith("from_"):
            method, function = function.attr, function.value
        name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
        return self._aliases.get(name, name), method

    def _is_prompt(self, call: ast.Call) -> bool:
        """True for a call that defines a prompt, ``partial`` on a definition among them."""
        if call not in self._calls:
            self._calls[call] = False  # while it is asked: a name may be bound to itself
            is_partial = isinstance(call.func, ast.Attribute) and call.func.attr == "partial"
            base = self._base(call) if is_partial else None
            self._calls[call] = self._class_of(call.func)[0] in _PROMPTS if base is None else self._is_prompt(base)
        return self._calls[call]

    def _base(self, call: ast.Call) -> ast.Call | None:
        """Return the definition that ``partial`` is called on, None where there is none."""
        given = call.func.value if isinstance(call.func, ast.Attribute) else None
        if isinstance(given, ast.Call):
            return given
        values = self._names.values(self._names.variable(given)) if given is not None else []
        return values[0] if len(values) == 1 and isinstance(values[0], ast.Call) else None

    # specs -----------------------------------------------------------------------------------

    def spec(self, call: ast.Call) -> dict[str, Any]:
        """Return the spec of a prompt. Raises _NotLiteral."""
        base = self._base(call)
        if base is not None and isinstance(call.func, ast.Attribute) and call.func.attr == "partial":
            if self._uses.is_spoiled(self._names.variable(call.func.value)):
                raise _NotLiteral(call, "what partial is called on is changed when it runs")
            if call.args:
                raise _NotLiteral(call.args[0], "arguments without names cannot be seen")
            spec = self.spec(base)
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
        variable = self._names.variable(node)
        values = self._names.values(variable)
        if variable is None or len(values) != 1 or values[0] is None:
            raise _NotLiteral(node, f"{node.id} is not bound once to a literal")
        found = self.value(values[0], depth + 1)
        is_changed = isinstance(found, list | dict) and self._uses.is_changed(variable)
        if is_changed or self._uses.is_spoiled(variable):
            raise _NotLiteral(node, f"{node.id} is changed after it is bound")
        return found

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
            if given.get("n_messages"):
                raise _NotLiteral(call, "n_messages cuts the history when it runs")
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
        reader = _Reader(_parsed(source))
        return bool(reader.definitions() or reader.refused())
    except (MigrationError, RecursionError):
        return False


LAYOUT: Final = Layout(
    "langchain-python",
    read,
    _is_certain,
    lambda source: source.name.endswith(".py"),
    rank=16,
    read_all=read_all,
)
