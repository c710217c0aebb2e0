"""Prompts of Haystack, LlamaIndex and banks in a Python source.

Rule: nothing is run. A definition is read where every argument is literal (:mod:`.python_values`); its
template is what the tool itself makes of it, which differs:

==================================================  ==========================================
``PromptBuilder("…")``, ``ChatPromptBuilder(…)``     Haystack: Jinja, and its own message tags
``[ChatMessage.from_system("…"), …]``                system and user are Jinja, an assistant's
                                                     text stays as it is
``pipe.add_component("name", PromptBuilder(…))``     a template of that name
``PromptTemplate("…")``, ``ChatPromptTemplate(…)``   LlamaIndex: ``{name}`` is a hole, any other
                                                     brace is text
``x.partial_format(name="…")``                       a default, under a name of its own
``RichPromptTemplate("…")``, ``Prompt("…")``         the Jinja of banks
functions, mappings of names, parsers                refused
==================================================  ==========================================
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any, Final

from ...errors import MigrationError
from .banks import read_body as read_banks
from .draft import Draft, kind_of
from .haystack import read_component
from .jinja import write_message
from .model import Layout, Source
from .pieces import Piece, write
from .python_names import Names, Variable
from .python_steps import Steps, leaves_of
from .python_uses import Uses
from .python_values import Literals, NotLiteral, parsed, place_of_node, read_alone

_TOOLS: Final = {
    "haystack": {"PromptBuilder", "ChatPromptBuilder"},
    "llama_index": {"PromptTemplate", "ChatPromptTemplate", "RichPromptTemplate"},
    "banks": {"Prompt", "AsyncPrompt"},
}
#: The first arguments of each class, which need no names.
_POSITIONAL: Final = {
    "PromptBuilder": ("template", "required_variables", "variables"),
    "ChatPromptBuilder": ("template", "required_variables", "variables"),
    "PromptTemplate": ("template",), "RichPromptTemplate": ("template_str",),
    "ChatPromptTemplate": ("message_templates",),
    "Prompt": ("text",), "AsyncPrompt": ("text",),
}  # fmt: skip
#: Arguments of LlamaIndex that say nothing about the text.
_QUIET: Final = {
    "template",
    "template_str",
    "message_templates",
    "prompt_type",
    "metadata",
    "partial",
    "name",
    "version",
}
_HOLE: Final = re.compile(r"\{([^\W\d]\w*)\}")
_MESSAGE: Final = re.compile(r"from_(system|user|assistant)")


class Built(dict[str, Any]):
    """The arguments of a definition, with its class under ``kind``."""


def read_all(source: Source) -> tuple[list[Draft], list[MigrationError]]:
    """Return a draft for each definition, and what is refused. Raises MigrationError for no Python."""
    return _Reader(parsed(source)).drafts(source, _write)


class _Reader(Literals):
    """Literals and definitions of one module."""

    def __init__(self, tree: ast.Module) -> None:
        super().__init__()
        self.names = Names(tree)
        self._classes: dict[str, str] = {}
        for node in self.names.nodes:
            tool = (node.module or "").split(".")[0] if isinstance(node, ast.ImportFrom) else ""
            if isinstance(node, ast.ImportFrom) and tool in _TOOLS:
                self._classes |= {one.asname or one.name: one.name for one in node.names}
        self._known = set().union(*_TOOLS.values()) & set(self._classes.values())
        self.steps = Steps(self.names, self._is_known)
        self.uses = Uses(self.names, self._is_prompt, lambda _: False, self.steps)

    def _is_known(self, node: ast.expr) -> bool:
        if isinstance(node, ast.BinOp):
            return all(isinstance(leaf, ast.Name) or self._is_known(leaf) for leaf in leaves_of(node))
        return isinstance(node, ast.Constant | ast.List) or self._is_prompt(node)

    def _class_of(self, node: ast.expr) -> tuple[str, str]:
        """Return the class of a call and the method that makes it."""
        method = ""
        if isinstance(node, ast.Attribute):
            method, node = node.attr, node.value
        return (self._classes.get(node.id, ""), method) if isinstance(node, ast.Name) else ("", method)

    def _is_prompt(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "partial_format":
            base = node.func.value
            values = self.names.values(self.names.variable(base)) if isinstance(base, ast.Name) else [base]
            return (
                len(values) == 1
                and isinstance(values[0], ast.Call)
                and values[0] is not node
                and self._is_prompt(values[0])
            )
        if not isinstance(node, ast.Call):
            return False
        kind, method = self._class_of(node.func)
        return kind in self._known and method in ("", "from_messages")

    def definitions(self) -> list[tuple[str, ast.expr]]:
        """Return the definitions with their names, in order."""
        made = [node for node in self.names.nodes if isinstance(node, ast.Call) and self._is_prompt(node)]
        inner = (
            {child for one in made for child in ast.walk(one) if child is not one}
            | self.steps.inner
            | self.uses.consumed
        )
        outer = [node for node in made if node not in inner and not self.uses.is_spoiled(self._variable(node))]
        return [(self._name_of(node), node) for node in sorted(outer, key=place_of_node)]

    def _variable(self, node: ast.AST) -> Variable | None:
        above = self.names.parents.get(node)
        targets = above.targets if isinstance(above, ast.Assign) else []
        return self.names.variable(targets[0]) if targets else None

    def _name_of(self, node: ast.Call) -> str:
        """Return the name of a component that a pipeline is given, else that of the variable."""
        above = self.names.parents.get(node)
        if isinstance(above, ast.Call) and getattr(above.func, "attr", "") == "add_component" and above.args:
            first = above.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                return first.value
        return self.uses.name_of(node)

    def defined(self, node: ast.expr) -> Built:
        """Return the arguments of a definition. Raises NotLiteral."""
        found = self.value(node)
        if not isinstance(found, Built):
            raise NotLiteral(node, "it is no prompt that is read")
        return found

    def value(self, node: ast.expr, depth: int = 0) -> Any:
        """Return the value of an expression; ``MessageRole.SYSTEM`` is a role. Raises NotLiteral."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if self._classes.get(node.value.id) in ("MessageRole", "ChatRole"):
                return node.attr.lower()
        return super().value(node, depth)

    def of_call(self, call: ast.Call) -> Any:
        """Return a definition or a message. Raises NotLiteral."""
        kind, method = self._class_of(call.func)
        if method == "partial_format" and isinstance(call.func, ast.Attribute) and self._is_prompt(call):
            base = self.defined(call.func.value)
            return Built(base, partial={**base.get("partial", {}), **self.keywords(call)})
        if self._is_prompt(call):
            return Built(self.arguments(call, *_POSITIONAL[kind]), kind=kind)
        if kind == "ChatMessage" and (found := _MESSAGE.fullmatch(method)):
            given = self.arguments(call, "text")
            content = given.pop("text", given.pop("content", None))
            return {**given, "role": found[1], "content": content}
        if kind == "ChatMessage" and not method:
            given = self.arguments(call, "role", "content")
            return {"role": "user", **given}
        return super().of_call(call)


# drafts ------------------------------------------------------------------------------------------


def _write(found: Built, draft: Draft) -> None:
    """Fill a draft from a definition. Raises MigrationError."""
    given = {name: value for name, value in found.items() if name != "kind"}
    kind = found["kind"]
    if kind in ("PromptBuilder", "ChatPromptBuilder"):
        read_component(given, draft)
    elif kind in ("Prompt", "AsyncPrompt"):
        draft.drop({name: value for name, value in given.items() if name != "text"}, ("name", "version"))
        read_banks(_text(given.get("text"), draft), draft)
    elif kind == "RichPromptTemplate":
        _check(given, draft)
        read_banks(_text(given.get("template_str"), draft), draft)
        _declare(given, draft)
    else:
        _check(given, draft)
        _write_llama(given, draft)
        _declare(given, draft)


def _text(value: Any, draft: Draft) -> str:
    if not isinstance(value, str):
        raise draft.refuse("a prompt without a text cannot be migrated")
    return value


def _check(given: Mapping[str, Any], draft: Draft) -> None:
    for name in ("template_var_mappings", "function_mappings", "output_parser"):
        if given.get(name):
            raise draft.refuse(
                f"{name} is code, or other names for the inputs", hint="write the template with its own names"
            )
    draft.drop({name: value for name, value in given.items() if value}, _QUIET)


def _declare(given: Mapping[str, Any], draft: Draft) -> None:
    partial = given.get("partial") or {}
    for name in list(draft.names) if partial else ():
        default = {"default": partial[name]} if name in partial else {}
        draft.add_input(name, kind_of(partial[name]) if name in partial else {}, **default)


def _write_llama(given: Mapping[str, Any], draft: Draft) -> None:
    if "template" in given:
        text = _text(given["template"], draft)
        draft.prompt(_of_llama(text, draft))
        draft.meaning = lambda inputs: [("user", _llama(text, inputs))]
        return
    messages = given.get("message_templates")
    if not isinstance(messages, list | tuple) or not messages:
        raise draft.refuse("there are no messages")
    said = [_turn(entry, index, draft) for index, entry in enumerate(messages)]
    for role, text in said:
        write_message(role, _of_llama(text, draft), draft)
    draft.meaning = lambda inputs: [(role, _llama(text, inputs).strip("\n")) for role, text in said]


def _turn(entry: Any, index: int, draft: Draft) -> tuple[str, str]:
    place = f"$.message_templates[{index}]"
    if isinstance(entry, tuple | list) and len(entry) == 2:
        entry = {"role": entry[0], "content": entry[1]}
    if not isinstance(entry, Mapping) or not isinstance(entry.get("content"), str):
        raise draft.refuse("a message without text cannot be migrated", place)
    draft.drop({name: value for name, value in entry.items() if value}, ("role", "content"), place)
    return draft.role(entry.get("role"), place), entry["content"]


def _of_llama(text: str, draft: Draft) -> str:
    """Return a text of LlamaIndex as Jinja: ``{name}`` alone is a hole, whatever stands around it."""
    pieces, last = [], 0
    for found in _HOLE.finditer(text):
        pieces += [Piece("text", text[last : found.start()]), Piece("print", f"{{{{ {draft.input_name(found[1])} }}}}")]
        last = found.end()
    source = write([*pieces, Piece("text", text[last:])])
    return source + "\n" if source.endswith("\n") else source


def _llama(text: str, inputs: Mapping[str, Any]) -> str:
    return re.sub(r"\{([^{}]+)\}", lambda found: str(inputs.get(found[1], found[0])), text)


def _is_certain(source: Source) -> bool:
    if not source.name.endswith(".py") or not any(
        re.search(rf"^\s*from {tool}\b", source.text, re.M) for tool in _TOOLS
    ):
        return False
    try:
        reader = _Reader(parsed(source))
        return bool(reader.definitions() or reader.uses.found)
    except (MigrationError, RecursionError):
        return False


LAYOUT: Final = Layout(
    "builders-python",
    read_alone,
    _is_certain,
    rank=14,
    read_all=read_all,
    oracle="haystack-ai 3.4.0, banks 2.5.1; LlamaIndex by its source",
)
