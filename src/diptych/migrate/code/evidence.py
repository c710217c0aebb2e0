"""Whether a receiver that cannot be followed is a client of OpenAI's SDK.

Rule: the shape of a call is no evidence, since other SDKs have it, too. Evidence is a name that
says so (``openai_client``, ``get_openai()``, an annotation), a model that OpenAI served, or an
import of ``openai`` in a file where nothing says that the receiver comes from another package.
"""

from __future__ import annotations

import re
import sys
from typing import Any, Final

import libcst as cst

from ...catalogue.models import model_info
from .bindings import VENDORS, Bindings, import_path
from .items import Items
from .source import Node, Source, bound, dotted, text_of

_SAYS_SO: Final = re.compile(r"open_?ai|(?:^|[._])oai(?:[._]|$)|chat_?gpt|(?:^|[._])gpt", re.IGNORECASE)
#: Names of models that one vendor serves by an API of its own.
_VENDOR_MODELS: Final = re.compile(
    r"(?:claude|command|gemini|palm|text-bison|j2|jamba|titan|amazon\.|anthropic\.|cohere\.|luminous)(?:[-.:@_]|$)"
)
_DEPTH: Final = 6


class Evidence:
    """Looks for evidence in one source."""

    def __init__(self, bindings: Bindings, fixtures: frozenset[str] = frozenset()) -> None:
        self.bindings, self.fixtures = bindings, fixtures
        self.source: Source = bindings.source
        self._imports_openai = any("openai" in path.split(".") for path in bindings.paths)

    def of(self, receiver: Any, brackets: list[Items]) -> str:
        """Return the evidence that a call's receiver is OpenAI's, "" where there is none."""
        said = self._said(receiver, _DEPTH)
        if self._is_fixture(receiver):
            return "a fixture of the tests"
        if any(_SAYS_SO.search(name) for name in said):
            return "its name"
        if self.bindings.vendors:
            return ""
        if self._is_fragment(receiver):
            return "its shape alone: the source does not say where its client comes from"
        packages = {path.partition(":")[2] for path in said if path.startswith(("call:", "from:"))}
        is_made = any(path.startswith("call:") and path[path.rfind(".") + 1 :][:1].isupper() for path in said)
        if any(self._is_openai_model(bracket) for bracket in brackets):
            return (
                "" if is_made else "its model"
            )  # what another package's class makes is its client, whatever the model
        return "an import" if self._imports_openai and not any(map(_is_elsewhere, packages)) else ""

    def _is_fixture(self, receiver: Any) -> bool:
        """Tell whether a receiver is a parameter that a fixture of conftest.py gives an OpenAI client."""
        root = _root(receiver)
        found = self.source.bindings(root) if isinstance(root, cst.Name) else []
        return bool(found) and isinstance(found[0], cst.Param) and root.value in self.fixtures

    def _is_fragment(self, receiver: Any) -> bool:
        """Tell whether the receiver is bound nowhere: a piece of a program, whose reader vouches for it."""
        if self.bindings.paths:
            return False
        root = _root(receiver)
        if not isinstance(root, cst.Name):
            return False
        found = self.source.bindings(root)
        return not found or (root.value == "self" and self.source.enclosing(root, cst.ClassDef) is None)

    # what is said of a receiver ----------------------------------------------------------------

    def _said(self, node: Any, depth: int) -> list[str]:
        """Return the names around a receiver and of what it is bound to; imports with ``from:``, ``call:``."""
        if depth == 0 or node is None:
            return []
        if isinstance(node, cst.Await):
            return self._said(node.expression, depth)
        if isinstance(node, cst.Attribute):
            return [node.attr.value, *self._said(node.value, depth), *self._attribute(node, depth)]
        if isinstance(node, cst.Call):
            return self._called(node, depth)
        if isinstance(node, cst.Subscript):
            keys = [text_of(e.slice.value) or "" for e in node.slice if isinstance(e.slice, cst.Index)]
            return [*keys, *self._said(node.value, depth)]
        if isinstance(node, cst.Name):
            return [node.value, *(name for b in self.source.bindings(node) for name in self._bound(b, node, depth))]
        if isinstance(node, cst.BooleanOperation):
            return [*self._said(node.left, depth), *self._said(node.right, depth)]
        if isinstance(node, cst.IfExp):
            return [*self._said(node.body, depth), *self._said(node.orelse, depth)]
        return []

    def _called(self, call: cst.Call, depth: int) -> list[str]:
        said = self._said(call.func, depth)
        made = [f"call:{name[5:]}" for name in said if name.startswith("from:")]
        # A client that is wrapped, instrument(client), is what it was.
        given = [name for arg in call.args for name in self._said(arg.value, depth - 1)]
        return [*said, *made, *(name for name in given if not name.startswith(("from:", "call:")))]

    def _attribute(self, node: cst.Attribute, depth: int) -> list[str]:
        """``self.client``: what the attribute is set to."""
        if not (isinstance(node.value, cst.Name) and node.value.value in ("self", "cls")):
            return []
        owner = self.source.enclosing(node, cst.ClassDef)
        said: list[str] = []
        for other in self.source.attributes.get(node.attr.value, ()):
            target = self.source.parent(other)
            if self.source.enclosing(other, cst.ClassDef) is not owner:
                continue
            statement: Any = self.source.parent(target) if isinstance(target, cst.AssignTarget) else target
            if isinstance(statement, cst.Assign | cst.AnnAssign) and other is not node:
                said += [
                    *self._annotation(getattr(statement, "annotation", None)),
                    *self._said(statement.value, depth - 1),
                ]
        return said

    def _bound(self, binding: Node, name: cst.Name, depth: int) -> list[str]:
        if isinstance(binding, cst.Import | cst.ImportFrom):
            return [f"from:{import_path(binding, name.value)}"]
        if isinstance(binding, cst.Param):
            return [*self._annotation(binding.annotation), *self._said(binding.default, depth - 1)]
        if isinstance(binding, cst.FunctionDef):
            return [*self._annotation(binding.returns), *self._returned(binding, depth - 1)]
        kind, value, annotation = bound(self.source, binding)
        if value is name or not kind:
            return []
        return [*self._annotation(annotation), *self._said(value, depth - 1)]

    def _returned(self, function: cst.FunctionDef, depth: int) -> list[str]:
        if depth <= 0:
            return []
        returns = [n for n in self.source.nodes if isinstance(n, cst.Return)]
        return [
            name
            for node in returns
            if self.source.function_of(node) is function
            for name in self._said(node.value, depth)
        ]

    def _annotation(self, annotation: cst.Annotation | None) -> list[str]:
        """Return the names of an annotation; those that are imported come with where from, as of an object."""
        if annotation is None:
            return []
        node: Any = annotation.annotation
        text = text_of(node)
        if text is not None:
            return [text]
        found = [self.source.code(node)]
        if isinstance(node, cst.Name | cst.Attribute):
            root = _root(node)
            for binding in self.source.bindings(root) if isinstance(root, cst.Name) else ():
                if isinstance(binding, cst.Import | cst.ImportFrom):
                    path = import_path(binding, root.value)
                    found.append(f"call:{path}{'.' + dotted(node)[-1] if node is not root else ''}")
        return [f for f in found if not f.startswith(("call:typing.", "call:collections."))]

    # models ------------------------------------------------------------------------------------

    def is_of_a_vendor(self, brackets: list[Items]) -> bool:
        """Tell whether a call asks for a model that another vendor alone serves."""
        items = [item for bracket in brackets for item in bracket.items if item.name == "model"]
        return any(_VENDOR_MODELS.match(name) for item in items for name in self.models(item.value))

    def _is_openai_model(self, bracket: Items) -> bool:
        for item in bracket.items:
            if item.name not in ("model", "engine"):
                continue
            if any(map(is_openai_model, self.models(item.value))):
                return True
        return False

    def models(self, node: Any) -> list[str]:
        """Return the names that a model's expression may give, as far as literals and constants say."""
        if not isinstance(node, cst.Name):
            return [text for text in (text_of(node),) if text is not None]
        found = []
        for binding in self.source.bindings(node):
            if isinstance(binding, cst.Param):
                found.append(text_of(binding.default))
            elif isinstance(binding, cst.Name):
                found.append(text_of(bound(self.source, binding)[1]))
        return [text for text in found if text is not None]


def is_openai_model(name: str) -> bool:
    """Tell whether a model is one that OpenAI serves or served, or was tuned from one.

    >>> is_openai_model("text-davinci-003"), is_openai_model("davinci:ft-acme-2023"), is_openai_model("m")
    (True, True, False)
    """
    base = name.removeprefix("ft:").partition(":")[0]
    return model_info(base).known and "gpt-oss" not in base


def _is_elsewhere(path: str) -> bool:
    """Tell whether an import path is of another package: not relative, not of the standard library."""
    top = path.partition(".")[0]
    return bool(top) and top != "openai" and (top in VENDORS or top not in sys.stdlib_module_names)


def _root(node: Any) -> Any:
    while isinstance(node, cst.Attribute | cst.Call | cst.Subscript | cst.Await):
        inner: Any = node
        node = inner.expression if isinstance(node, cst.Await) else getattr(inner, "func", None) or inner.value
    return node
