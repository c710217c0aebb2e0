"""The models of Chat calls: those of the map, and those whose last day is announced.

Rule: only the model changes, and only of calls whose client is known to be OpenAI's own.
"""

from __future__ import annotations

from typing import Any, Final

import libcst as cst

from .bindings import Bindings
from .constants import Constants
from .items import Items
from .plan import Plan
from .source import Source, dotted, requoted, text_of

_PATHS: Final = (
    ("chat", "completions", "create"), ("chat", "completions", "parse"), ("chat", "completions", "stream"),
    ("responses", "create"), ("responses", "parse"), ("responses", "stream"),
)  # fmt: skip
_OLD: Final = (("openai", "ChatCompletion", "create"), ("openai", "ChatCompletion", "acreate"))


class ChatModels:
    """Replaces the models of the Chat calls of one source."""

    def __init__(self, plan: Plan, bindings: Bindings, constants: Constants) -> None:
        self.plan, self.bindings, self.constants = plan, bindings, constants
        self.source: Source = plan.source

    def find(self) -> None:
        """Look at every Chat call, where the run asks for it."""
        models = self.plan.models
        if not (models.dated or models.mapped):
            return
        for node in self.source.nodes:
            if isinstance(node, cst.Call) and self._is_theirs(node):
                self._model(node)

    def _is_theirs(self, call: cst.Call) -> bool:
        names = dotted(call.func)
        if names in _OLD:
            return not self.bindings.is_only_away
        path = next((path for path in _PATHS if names[-len(path) :] == path), None)
        if path is None:
            return False
        receiver: Any = call.func
        for _ in path:
            receiver = receiver.value
        origin = self.bindings.of(receiver)
        return origin.what == "client" and not origin.elsewhere

    def _model(self, call: cst.Call) -> None:
        items = Items(self.source, call)
        item = items.get("model")
        if item is None:
            return
        name = text_of(item.value)
        site = self.plan.site(call, "model")
        if name is None:
            self.constants.model(site, item, self.plan.models.of_chat)
            site.changes.clear()  # of a Chat call nothing has to be said
        elif new := self.plan.models.of_chat(name):
            items.replace(self.plan, site, item, requoted(self.source, item.value, new))
            self.plan.change(site, item.label, f"the model {name} became {new}", "constant")
