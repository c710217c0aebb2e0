"""Variables of Dify's prompts: what they are called here, and which of them are known."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .draft import Draft
from .named import meaning_of_names, of_names

_SELECTOR: Final = re.compile(
    r"\{\{(#[a-zA-Z0-9_]{1,50}(?:\.[a-zA-Z_][a-zA-Z0-9_]{0,29}){1,10}#|#context#|#histories#)\}\}"
)
_NAME: Final = re.compile(r"\{\{([a-zA-Z_][a-zA-Z0-9_]{0,29}|#histories#|#query#|#context#)\}\}")
_KINDS: Final = {
    "text-input": "string", "paragraph": "string", "select": "string", "number": "number", "checkbox": "boolean",
    "file": "object", "file-list": "array", "external_data_tool": "string",
}  # fmt: skip


class Names:
    """The variables of an app: ``{{#node.name#}}`` in a workflow, ``{{name}}`` of a form elsewhere."""

    def __init__(self, nodes: Sequence[Mapping[str, Any]] = ()) -> None:
        self.pattern = _SELECTOR
        self.slugs: dict[str, str] = {}
        self.fields: dict[str, Mapping[str, Any]] = {}
        self.starts: set[str] = set()
        for data in nodes:
            node = str(data["id"])
            slug = re.sub(r"\W+", "_", str(data.get("title", "")), flags=re.ASCII).strip("_").lower()
            slug = slug if slug and not slug[0].isdigit() else f"node_{node}"
            self.slugs[node] = slug if slug not in self.slugs.values() else f"{slug}_{node}"
            if data.get("type") == "start":
                self.starts.add(node)
                self._add(data.get("variables"))

    @classmethod
    def of_form(cls, form: Any) -> Names:
        """Return the variables of an app without a workflow: those of its form alone are known."""
        found = cls()
        found._add(
            [
                {"type": kind, **facts}
                for entry in (form if isinstance(form, list) else ())
                if isinstance(entry, Mapping)
                for kind, facts in entry.items()
                if isinstance(facts, Mapping)
            ]
        )
        known = "|".join([*map(re.escape, found.fields), "#query#", "#context#", "#histories#"])
        found.pattern = re.compile(rf"\{{\{{({known})\}}\}}")
        return found

    def _add(self, fields: Any) -> None:
        for field in fields if isinstance(fields, list) else ():
            if isinstance(field, Mapping) and isinstance(field.get("variable"), str):
                self.fields[field["variable"]] = field

    def slug_of(self, node: str) -> str:
        """Return the name of a node."""
        return self.slugs[node]

    def name(self, selector: str) -> str:
        """Return the name of an input: ``#start.topic#`` is ``topic``, ``#17.text#`` is ``title_text``."""
        inner = selector.strip("#")
        node, dot, rest = inner.partition(".")
        rest = rest.replace(".", "_")
        if not dot:
            return inner
        return rest if node in self.starts else f"{self.slugs.get(node, node)}_{rest}"

    def written(self, text: str, draft: Draft, path: str) -> str:
        """Return a text as Jinja source."""
        if re.search(r"\{\{#histories#\}\}", text):
            draft.lose(path, "flattened", "the history is a text here: give it as the input histories")
        for found in self.pattern.finditer(text):
            name = self.name(found[1])
            if name != found[1] and found[1].strip("#") != name:
                draft.lose(f"$.inputs.{found[1]}", "renamed", f"{name} stands for {found[0]}")
        if self.pattern is not _SELECTOR and (unknown := _NAME.search(self.pattern.sub("", text))):
            draft.doubt(f"{path}: {unknown[0]} is not in the form: it stays text, as there")
        return of_names(text, draft, path, self.pattern, self.name)

    def meaning(self, text: str, inputs: Mapping[str, Any]) -> str:
        """Return what a text says."""
        return meaning_of_names(text, inputs, self.pattern, self.name)

    def declare(self, draft: Draft) -> None:
        """Declare the fields that the prompt uses, with their types and defaults."""
        for name, field in self.fields.items():
            if name not in draft.names:
                continue
            kind = _KINDS.get(str(field.get("type")), "")
            schema: dict[str, Any] = {"type": kind} if kind else {}
            options = field.get("options")
            if field.get("type") == "select" and isinstance(options, list) and options:
                schema = {"enum": options}
            default = field.get("default")
            given = {"default": default} if default not in (None, "") else {}
            if not given and field.get("required") is False and kind == "string":
                given = {"default": ""}
                draft.lose(f"$.inputs.{name}", "defaulted", "a field that is not filled in is empty")
                schema = {"type": "string"}
            draft.add_input(name, schema, description=field.get("label"), **given)
