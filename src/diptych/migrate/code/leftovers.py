"""What a changed call leaves behind: names of the old model, its encoding, its context window.

Rule: nothing of it is changed, since what it serves beside the call is not known; each is a note with its place.
"""

from __future__ import annotations

import re
from typing import Any, Final

import libcst as cst

from ...catalogue import model_row
from ...catalogue.replacements import chat_replacement
from .plan import Plan, Site
from .source import Source, dotted, text_of

#: The windows of the Completions models, as programs write them (OpenAI, model pages of 2023).
_WINDOWS: Final = frozenset({2048, 2049, 4000, 4096, 4097, 8000, 8001})
_OF_TOKENS: Final = re.compile(r"token|context|window|limit|max_?len", re.IGNORECASE)
#: Models that were trained further from one of Completions.
_TUNED: Final = re.compile(r"(?:ada|babbage|curie|davinci)(?:-00\d)?:ft-.*|ft:(?:davinci|babbage)-002:.*")
#: Names that only a model has; ``ada`` and ``davinci`` are also those of people.
_CERTAIN: Final = re.compile(r".*-.*")


class Leftovers:
    """Notes what stays of the old model in one source."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.source: Source = plan.source

    def find(self) -> None:
        """Look when it is known which calls change: a source without a change has no notes."""
        self.plan.later.append(self._settle)

    def _settle(self) -> None:
        site = next((s for s in self.plan.sites if s.refusal is None and s.kind != "mock"), None)
        if site is None:
            return
        edited = [(e.start, e.end) for s in self.plan.sites if s.refusal is None for e in s.edits]
        stay = [node for s in self.plan.sites if s.refusal is not None for node in [s.node]]
        for node in self.source.nodes:
            if isinstance(node, cst.Call) and dotted(node.func)[-1] == "encoding_for_model":
                self._encoding(site, node)
            elif isinstance(node, cst.Integer) and node.evaluated_value in _WINDOWS and self._is_window(node):
                what = f"{node.value} is the window of the old model: {self._window()}"
                self.plan.change(site, node, what, "note")
            elif isinstance(node, cst.SimpleString):
                start, end = self.source.span(node)
                if any(first <= start and end <= last for first, last in edited):
                    continue
                if not any(self.source.inside(node, other) for other in stay):
                    self._name(site, node)

    def _encoding(self, site: Site, call: cst.Call) -> None:
        name = next((text_of(arg.value) for arg in call.args[:1]), None)
        if name is not None and (model := self.plan.models.successor(name)):
            row = model_row(model)
            new = f"{model} has {row.encoding}" if row and row.encoding else "the new model has its own"
            self.plan.change(site, call, f"this is the encoding of {name}: {new}", "note")

    def _is_window(self, node: Any) -> bool:
        outer: Any = self.source.parent(node)
        if isinstance(outer, cst.BinaryOperation) and isinstance(outer.operator, cst.Subtract):
            return outer.left is node
        if isinstance(outer, cst.Comparison | cst.ComparisonTarget):
            holder = outer if isinstance(outer, cst.Comparison) else self.source.parent(outer)
            return _OF_TOKENS.search(self.source.code(holder)) is not None
        if isinstance(outer, cst.Assign):
            return any(_OF_TOKENS.search(dotted(target.target)[-1]) for target in outer.targets)
        return False

    def _window(self) -> str:
        row = model_row(self.plan.models.default)
        window = row.context_window if row else None
        return f"{self.plan.models.default} has {window:,} tokens" if window else "the new model has its own"

    def _name(self, site: Site, node: cst.SimpleString) -> None:
        name = text_of(node) or ""
        found = chat_replacement(name)
        outer = self.source.parent(node)
        if _TUNED.fullmatch(name):
            what = f"{name} was fine-tuned from a Completions model: train a Chat model, and name it (--model-map)"
            self.plan.change(site, node, what, "note")
            return
        if found is None or not _CERTAIN.match(name) or isinstance(outer, cst.Expr | cst.ComparisonTarget):
            return
        call = self.source.parent(outer) if isinstance(outer, cst.Arg) else None
        if isinstance(call, cst.Call) and dotted(call.func)[-1] in ("encoding_for_model", "startswith"):
            return  # that is said there
        what = f"{name} stays here, which ended on {found.shutdown}: see that it serves no call"
        self.plan.change(site, node, what, "note")
