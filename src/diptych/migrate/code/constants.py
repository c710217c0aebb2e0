"""Model names that are held by a constant of the module, or by a parameter's default.

Rule: the constant is changed where every use of it is the model of a call that changes;
otherwise the call names the new model itself, and the constant stays.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from ...catalogue.replacements import chat_replacement
from .items import Item
from .plan import Plan, Site
from .source import Node, bound, requoted, text_of
from .webs import reaching


class Constants:
    """The names that calls take their models from."""

    def __init__(self, plan: Plan, exported: frozenset[str] = frozenset()) -> None:
        self.plan, self.exported = plan, exported
        self._uses: dict[Node, list[tuple[Site, Item]]] = {}
        plan.later.append(self._settle)

    def model(self, site: Site, item: Item) -> None:
        """Note that a call takes its model from a name."""
        if isinstance(item.value, cst.Name):
            found = reaching(self.plan.source, item.value)
            if len(found) == 1 and chat_replacement(text_of(self._value(found[0]))):
                self._uses.setdefault(found[0], []).append((site, item))
                return
            if len(found) == 1 and text_of(self._value(found[0])) is not None:
                return
        self.plan.change(site, item.label, "the model is no literal: see that it serves Chat", "note")

    def known(self, item: Item) -> str | None:
        """Return the model that a call names, or that the one constant it names holds."""
        if not isinstance(item.value, cst.Name):
            return text_of(item.value)
        found = reaching(self.plan.source, item.value)
        return text_of(self._value(found[0])) if len(found) == 1 else None

    def _value(self, binding: Node) -> Any:
        if isinstance(binding, cst.Param):
            return binding.default
        kind, value, _ = bound(self.plan.source, binding) if isinstance(binding, cst.Name) else ("", None, None)
        return value if kind == "value" else None

    def _settle(self) -> None:
        source = self.plan.source
        for binding, uses in self._uses.items():
            good = [(site, item) for site, item in uses if self.plan.is_good(site)]
            if not good:
                continue
            value = self._value(binding)
            old = str(text_of(value))
            text = requoted(source, value, self.plan.replacement)
            readers = set(source.readers(binding, _name(binding)))
            if readers <= {item.value for _, item in good} and self._is_private(binding, readers):
                for site, _ in good:
                    self.plan.edit(site, *source.outer(value), text)
                what = f"the model {old} became {self.plan.replacement}"
                self.plan.change(good[0][0], value, what, "constant")
            else:
                for site, item in good:
                    self.plan.edit(site, *source.outer(item.value), text)
                    what = f"{_name(binding)} is used elsewhere, too: the call names {self.plan.replacement} itself"
                    self.plan.change(site, item.label, what, "note")

    def _is_private(self, binding: Node, readers: set[cst.Name]) -> bool:
        """Tell whether nothing else reads a name: it is bound once, and no other module takes it."""
        is_global = self.plan.source.function_of(binding) is self.plan.source.module
        if is_global and _name(binding) in self.exported:
            return False
        return bool(readers) and len(self.plan.source.bindings(next(iter(readers)))) == 1


def _name(binding: Node) -> str:
    return binding.name.value if isinstance(binding, cst.Param) else getattr(binding, "value", "")
