"""What looks like a call of the Completions API and is none that was understood: reported, never passed over.

Rule: nothing of it is changed. What another vendor's SDK answers is no call of this API and stays unsaid.
"""

from __future__ import annotations

from typing import Any, Final

import libcst as cst

from .bindings import Bindings, import_path
from .langchain import HOMES
from .plan import Plan
from .source import Node, Source, dotted, text_of

#: Functions of LiteLLM that ask for text completions, and what asks for Chat.
_LITELLM: Final = {"text_completion": "completion", "atext_completion": "acompletion"}
_CLASSES: Final = ("OpenAI", "AzureOpenAI", "OpenAIChat")


class Unseen:
    """Looks for what the other parts have left over in one source."""

    def __init__(self, plan: Plan, bindings: Bindings) -> None:
        self.plan, self.bindings = plan, bindings
        self.source: Source = plan.source

    def find(self) -> None:
        """Report every use that is left over."""
        for node in self.source.nodes:
            if isinstance(node, cst.Call):
                self._call(node)
            elif isinstance(node, cst.Attribute | cst.Name):
                self._resource(node)

    def _call(self, call: cst.Call) -> None:
        path = self._path(call.func)
        name = path.rpartition(".")[2]
        if path.startswith("litellm.") and name in _LITELLM:
            self._report(call, f"{path}: call litellm.{_LITELLM[name]} with messages")
        elif path.rpartition(".")[0] in HOMES and name in _CLASSES[:2]:
            if not any(site.node is call for site in self.plan.sites):
                self._report(call, f"{path}: import the class by its name")
        elif path == "openai.Engine" and call.args:
            self._report(call, f"{path} asks by .generate: write openai.Completion.create")
        elif path == "getattr" and len(call.args) > 1:
            asked = text_of(call.args[1].value)
            origin = self.bindings.of(call.args[0].value)
            is_theirs = origin.what == "client" or (origin.what == "path" and origin.path == "openai")
            if is_theirs and asked in ("completions", "Completion"):
                self._report(call, f"getattr of {asked}")

    def _path(self, func: Any) -> str:
        """Return the dotted path of a function by its import; the name alone of what Python itself has."""
        names = dotted(func)
        root: Any = func
        while isinstance(root, cst.Attribute):
            root = root.value
        found = self.source.bindings(root) if isinstance(root, cst.Name) else []
        if not found:
            return names[0] if len(names) == 1 else ""
        binding = found[0]
        if not isinstance(binding, cst.Import | cst.ImportFrom) or not isinstance(root, cst.Name):
            return ""
        return ".".join([import_path(binding, root.value), *names[1:]])

    def _resource(self, node: Any) -> None:
        """``openai.Completion`` that is given away: its calls stand elsewhere."""
        name = node.attr.value if isinstance(node, cst.Attribute) else node.value
        if name not in ("Completion", "completions"):
            return
        outer = self.source.parent(node)
        if isinstance(outer, cst.Attribute | cst.AssignTarget | cst.Assign | cst.ImportAlias | cst.Annotation):
            return
        if isinstance(node, cst.Name) and node not in self.source.loads.get(name, ()):
            return
        origin = self.bindings.of(node)
        if origin.what == "resource" and origin.path != "?" and not self._is_renamed(node):
            self._report(node, f"{'.'.join(dotted(node))} is passed on")

    def _is_renamed(self, node: Any) -> bool:
        """Tell whether a call that was found asks by way of this expression: ``openai.Completion()``."""
        start, end = self.source.span(node)
        return any(start <= edit.start and edit.end <= end for site in self.plan.sites for edit in site.edits)

    def _report(self, node: Node, what: str) -> None:
        if not any(self.source.inside(node, site.node) for site in self.plan.sites):
            self.plan.refuse(self.plan.site(node), "not-understood", what)
