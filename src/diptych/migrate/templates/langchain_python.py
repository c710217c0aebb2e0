"""LangChain definitions in a Python source become the specs of :mod:`.langchain`.

Rule: nothing is executed. A definition is read where every argument is a literal: strings and
their implicit concatenation, ``+`` of literals, lists, tuples, mappings, and names whose values
can be followed (:mod:`.python_values`). What is not is refused with its place and the reason.

===============================================  =============================================
``x = PromptTemplate.from_template("…")``        the template ``x``
``x = PromptTemplate(template=…, …)``            with its variables, partials and format
``x = ChatPromptTemplate.from_messages([…])``    and ``ChatPromptTemplate([…])``
``("system", "…")``, ``"…"``                     messages
``SystemMessagePromptTemplate.from_template``    and Human, AI, Chat: messages with holes
``SystemMessage("…")``                           and Human, AI: a message without holes
``MessagesPlaceholder("h", optional=True)``      a history
``FewShotPromptTemplate(examples=[…], …)``       one prompt, its examples written out
``FewShotChatMessagePromptTemplate(examples=…)`` its examples as messages, alone or among others
``x.partial(name="…")`` on a definition          a default, under a name of its own
``a + b``, a text, a message or a list behind +  one template, as LangChain puts it together
``x += …``, ``x.append(…)``, ``x.extend(…)``     followed where they stand in one block with the
                                                 definition, else refused
copies, further names, assignments to a part     refused: a definition that is changed is not what it says
``return PromptTemplate(…)``, calls, f-strings   refused where it is a prompt, else passed over
===============================================  =============================================
"""

from __future__ import annotations

import ast
import re
from typing import Any, Final

from ...errors import MigrationError
from .draft import Draft
from .langchain import write_spec
from .langchain_specs import Message, Prompt, chat_of, few_shot_chat, messages_of, sum_of_texts
from .model import Layout, Source
from .python_names import Names, Variable
from .python_steps import Steps, leaves_of
from .python_uses import Found, Uses
from .python_values import Literals, NotLiteral, parsed, place_of_node, read_alone

_PROMPTS: Final = {
    "PromptTemplate", "ChatPromptTemplate", "FewShotPromptTemplate", "FewShotChatMessagePromptTemplate",
}  # fmt: skip
_CHAT_MESSAGES: Final = ("ChatMessagePromptTemplate", "ChatMessage", "MessagesPlaceholder")
_MESSAGES: Final = {
    "SystemMessagePromptTemplate": "system", "SystemMessage": "system",
    "HumanMessagePromptTemplate": "user", "HumanMessage": "user",
    "AIMessagePromptTemplate": "assistant", "AIMessage": "assistant",
}  # fmt: skip
#: Classes of prompts that are not read.
_UNREAD: Final = {
    "FewShotPromptWithTemplates", "PipelinePromptTemplate", "StructuredPrompt",
    "ImagePromptTemplate", "DictPromptTemplate", "AutoGPTPrompt",
}  # fmt: skip
#: Tools whose classes have the same names.
_OTHERS: Final = ("llama_index", "haystack", "banks")
_LANGCHAIN: Final = ("langchain", "langchain_core", "langchain_community", "langchain_classic")


def read_all(source: Source) -> tuple[list[Draft], list[MigrationError]]:
    """Return a draft for each definition, and what is refused. Raises MigrationError for no Python."""
    return _Reader(parsed(source)).drafts(source, write_spec)


class _Reader(Literals):
    """Literals and definitions of one module."""

    def __init__(self, tree: ast.Module) -> None:
        super().__init__()
        self.names = Names(tree)
        self._aliases: dict[str, str] = {}
        self._made: dict[ast.expr, bool] = {}
        for node in self.names.nodes:
            self._note(node)
        self.steps = Steps(self.names, self._is_known)
        self.uses = Uses(self.names, self._is_prompt, self._is_annotation, self.steps)

    def _note(self, node: ast.AST) -> None:
        """Note a further name of a class of LangChain: by an import, or by one plain assignment."""
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in _LANGCHAIN:
            self._aliases |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in _OTHERS:
            self._aliases |= {alias.asname or alias.name: "" for alias in node.names}
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

    def definitions(self) -> list[tuple[str, ast.expr]]:
        """Return the prompts that are what their definition says, with the names they are bound to, in order."""
        made = [node for node in self.names.nodes if isinstance(node, ast.Call | ast.BinOp) and self._is_prompt(node)]
        inner = {child for one in made for child in ast.walk(one) if child is not one}
        outer = sorted((one for one in made if one not in inner), key=place_of_node)
        outer = [one for one in outer if not self._is_passed_over(one)]
        names = [self.uses.name_of(one) for one in outer]
        variables = [self._variable(one) for one in outer]
        shared = {
            name for name in names if len({v for n, v in zip(names, variables, strict=True) if n == name and v}) > 1
        }
        return [
            (self.names.qualified(one, name) if name in shared else name, one)
            for name, one in zip(names, outer, strict=True)
        ]

    def defined(self, node: ast.expr) -> dict[str, Any]:
        """Return the spec of a definition, after all that is done to its variable. Raises NotLiteral."""
        variable = self._variable(node)
        steps = self.steps.of(variable)
        is_followed = variable is not None and steps and steps[0].value is node
        found = self.stepped(variable) if is_followed and variable is not None else self.value(node)
        if not isinstance(found, Prompt):
            raise NotLiteral(node, "it is no prompt that is read")
        return found

    def _is_passed_over(self, node: ast.expr) -> bool:
        """True for a piece of what is refused or followed, for a prompt that is changed, and for one of examples."""
        variable = self._variable(node)
        is_piece = node in self.uses.consumed or node in self.steps.inner
        return is_piece or self.uses.is_spoiled(variable) or self._is_example(variable)

    def _variable(self, node: ast.AST) -> Variable | None:
        """Return the variable that a definition is bound to, in a list or mapping or by itself."""
        above = self.names.parents.get(node)
        while isinstance(above, ast.Dict | ast.List | ast.Tuple | ast.Set):
            above = self.names.parents.get(above)
        if isinstance(above, ast.Assign):
            return self.names.variable(above.targets[0])
        return self.names.variable(above.target) if isinstance(above, ast.AnnAssign | ast.NamedExpr) else None

    def _is_example(self, variable: Variable | None) -> bool:
        """True for the prompt of another one's examples: it is no template of its own."""
        return variable is not None and any(
            isinstance(node, ast.keyword)
            and node.arg == "example_prompt"
            and self.names.variable(node.value) == variable
            for node in self.names.nodes
        )

    def refused(self) -> list[Found]:
        """Return what makes or changes a prompt in a way that is not read."""
        found = super().refused()
        for node in self.names.nodes:
            if isinstance(node, ast.ClassDef) and any(map(self._is_class, node.bases)):
                found.append(Found(node, node.name, "it is a class of prompts of its own"))
            elif isinstance(node, ast.Call) and self._is_handed_on(node):
                found.append(Found(node, self.uses.name_of(node), "it is made by another function when it runs"))
            elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value and self._is_maker(node.value):
                found.append(Found(node, self.uses.name_of(node.value), "a method that makes prompts has another name"))
        return found

    def _is_handed_on(self, call: ast.Call) -> bool:
        """True for a call that makes prompts by a class it is given, and for a class that is not read."""
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in ("partial", "map", "starmap") and not self._is_prompt(call):
            return any(self._is_class(argument) or self._is_maker(argument) for argument in call.args)
        is_unread = self._class_of(call.func)[0] in _UNREAD
        return is_unread and not isinstance(self.names.parents.get(call), ast.List | ast.Tuple)

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

    def _is_prompt(self, node: ast.expr) -> bool:
        """True for what makes a prompt: a call of a class, ``partial`` of a prompt, a sum that holds one."""
        if node not in self._made:
            self._made[node] = False  # while it is asked: a name may be bound to itself
            self._made[node] = self._makes_prompt(node)
        return self._made[node]

    def _makes_prompt(self, node: ast.expr) -> bool:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            first, *others = leaves_of(node)
            return any(map(self._is_prompt, [first, *others])) or self._is_message(first)
        if isinstance(node, ast.Call):
            is_partial = isinstance(node.func, ast.Attribute) and node.func.attr == "partial"
            base = node.func.value if is_partial and isinstance(node.func, ast.Attribute) else None
            return self._class_of(node.func)[0] in _PROMPTS or (base is not None and self._is_prompt(base))
        bound = self._bound(node)
        return bound is not None and self._is_prompt(bound)

    def _is_known(self, node: ast.expr) -> bool:
        """True for a value that is made here: a list, a text, a prompt or message, a sum of such."""
        if isinstance(node, ast.Constant | ast.List):
            return True
        if isinstance(node, ast.BinOp):
            return all(isinstance(leaf, ast.Name) or self._is_known(leaf) for leaf in leaves_of(node))
        if not isinstance(node, ast.Call):
            return False
        is_partial = isinstance(node.func, ast.Attribute) and node.func.attr == "partial"
        if is_partial and isinstance(node.func, ast.Attribute):
            return isinstance(node.func.value, ast.Name) or self._is_known(node.func.value)
        return self._class_of(node.func)[0] in {*_PROMPTS, *_MESSAGES, *_CHAT_MESSAGES}

    def _is_message(self, node: ast.expr) -> bool:
        """True for a message of LangChain, or a name that is bound to one."""
        node = self._bound(node) or node
        return isinstance(node, ast.Call) and self._class_of(node.func)[0] in {*_MESSAGES, *_CHAT_MESSAGES}

    def _bound(self, node: ast.expr) -> ast.expr | None:
        """Return what a name is bound to first, where that can be followed."""
        variable = self.names.variable(node) if isinstance(node, ast.Name) else None
        steps, values = self.steps.of(variable), self.names.values(variable)
        return steps[0].value if steps else values[0] if len(values) == 1 else None

    # specs -----------------------------------------------------------------------------------

    def of_call(self, call: ast.Call) -> Any:
        """Return the spec of a prompt, a message or a placeholder. Raises NotLiteral."""
        kind, method = self._class_of(call.func)
        if self._is_prompt(call):
            return Prompt(self._spec(call))
        if kind == "MessagesPlaceholder":
            given = self.arguments(call, "variable_name")
            if given.get("n_messages"):
                raise NotLiteral(call, "n_messages cuts the history when it runs")
            return Message(variable_name=given.get("variable_name"), optional=bool(given.get("optional")))
        if kind in _MESSAGES or kind in _CHAT_MESSAGES:
            given = self.arguments(call, "template" if method == "from_template" else "content")
            return Message(given, role=_MESSAGES.get(kind) or given.pop("role", None))
        return super().of_call(call)

    def _spec(self, call: ast.Call) -> dict[str, Any]:
        if isinstance(call.func, ast.Attribute) and call.func.attr == "partial":
            return self._partial(call, call.func.value)
        kind, method = self._class_of(call.func)
        positional = {"PromptTemplate": "template", "ChatPromptTemplate": "messages"}.get(kind, "")
        positional = "template" if method == "from_template" else positional
        given = self.arguments(call, *([positional] if positional else []))
        given |= {"examples": list(given["examples"])} if isinstance(given.get("examples"), tuple) else {}
        if kind == "ChatPromptTemplate":
            return self._chat(call, given, method)
        if kind == "FewShotChatMessagePromptTemplate":
            return few_shot_chat(given, call)
        if kind == "FewShotPromptTemplate":
            return {**given, "_type": "few_shot"}
        if method not in ("", "from_template"):
            raise NotLiteral(call, f"{method} is not read")
        return {**given, "_type": "prompt"}

    def _partial(self, call: ast.Call, base: ast.expr) -> dict[str, Any]:
        if self.uses.is_spoiled(self.names.variable(base)):
            raise NotLiteral(call, "what partial is called on is changed when it runs")
        if call.args:
            raise NotLiteral(call.args[0], "positional arguments are not understood here")
        spec = self.value(base)
        if not isinstance(spec, Prompt):
            raise NotLiteral(call, "what partial is called on is no prompt that is read")
        return {**spec, "partial_variables": {**spec.get("partial_variables", {}), **self.keywords(call)}}

    def _chat(self, call: ast.Call, given: dict[str, Any], method: str) -> dict[str, Any]:
        if method == "from_template":
            given = {**given, "messages": [{"role": "user", "template": given.pop("template", None)}]}
        elif method not in ("", "from_messages"):
            raise NotLiteral(call, f"{method} is not read")
        form = given.get("template_format")
        messages = given.get("messages")
        if not isinstance(messages, list | tuple):
            raise NotLiteral(call, "there are no messages")
        return chat_of([said for entry in messages for said in messages_of(entry, form, call)], given)

    def joined(self, left: Any, right: Any, node: ast.expr) -> Any:
        """Return the sum of two values as LangChain makes it. Raises NotLiteral."""
        if isinstance(left, Prompt) and left.get("_type") == "prompt":
            return sum_of_texts(left, right, node)
        if isinstance(left, Message) or (isinstance(left, Prompt) and left.get("_type") == "chat"):
            whole = Prompt(chat_of([dict(left)], {})) if isinstance(left, Message) else left
            return self.appended(whole, list(right) if isinstance(right, list | tuple) else [right], node)
        if isinstance(left, Prompt) or isinstance(right, Prompt | Message):
            raise NotLiteral(node, "prompts of these kinds are not put together by +")
        return super().joined(left, right, node)

    def appended(self, whole: Any, items: list[Any], node: ast.expr) -> Any:
        """Return a chat prompt with messages at its end, or a list. Raises NotLiteral."""
        if not isinstance(whole, Prompt):
            return super().appended(whole, items, node)
        if whole.get("_type") != "chat":
            raise NotLiteral(node, "only a chat prompt takes messages")
        more = [said for item in items for said in messages_of(item, None, node)]
        partials = [item.get("partial_variables", {}) for item in items if isinstance(item, Prompt)]
        found = {**whole, "messages": [*whole["messages"], *more]}
        for partial in partials:
            found["partial_variables"] = {**found.get("partial_variables", {}), **partial}
        return Prompt(found)


def _is_certain(source: Source) -> bool:
    if not source.name.endswith(".py") or "langchain" not in source.text or "PromptTemplate" not in source.text:
        return False
    try:
        reader = _Reader(parsed(source))
        return bool(reader.definitions() or reader.refused())
    except (MigrationError, RecursionError):
        return False


LAYOUT: Final = Layout(
    "langchain-python",
    read_alone,
    _is_certain,
    lambda source: source.name.endswith(".py"),
    rank=16,
    read_all=read_all,
    oracle="langchain-core 1.7.2",
)
