"""Model names that are held by a constant of the module, a default, a class, a dict or an option.

Rule: the constant is changed where every use of it is the model of a call that changes;
otherwise the call names the new model itself, and the constant stays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libcst as cst

from .holders import Holders
from .items import Item
from .plan import Plan, Site
from .source import Node, bound, requoted, text_of
from .webs import reaching


class Constants:
    """The names that calls take their models from."""

    def __init__(self, plan: Plan, exported: frozenset[str] = frozenset()) -> None:
        self.plan, self.exported = plan, exported
        self.holders = Holders(plan.source)
        self._uses: dict[Node, list[tuple[Site, Item]]] = {}
        #: Literals that an expression may give among others, with the sites that ask for it.
        self._spread: dict[Node, list[tuple[Site, Item]]] = {}
        self._successors: dict[Site, Callable[[str | None], str | None]] = {}
        plan.later += [self._settle, self._settle_spread]

    def model(self, site: Site, item: Item, successor: Callable[[str | None], str | None] | None = None) -> None:
        """Note that a call takes its model from an expression; ``successor`` says what replaces a name."""
        self._successors[site] = successor or self.plan.models.successor
        if isinstance(item.value, cst.Name):
            found = reaching(self.plan.source, item.value)
            value = self._value(found[0]) if len(found) == 1 else None
            if isinstance(value, cst.SimpleString):
                if self._successors[site](text_of(value)):
                    self._uses.setdefault(found[0], []).append((site, item))
                return
        held = self.holders.of(item.value)
        for literal in held.literals:
            if self._successors[site](text_of(literal)):
                self._spread.setdefault(literal, []).append((site, item))
        if held.more:
            self.plan.change(site, item.label, "the model is not a literal: see that it serves Chat", "note")

    def known(self, item: Item) -> str | None:
        """Return the model that an expression gives: the first that is replaced, or the only one."""
        names = [text_of(literal) for literal in self.holders.of(item.value).literals]
        old = next((name for name in names if self.plan.models.successor(name)), None)
        return old or (names[0] if len(names) == 1 else None)

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
            new = str(self._successors[good[0][0]](old))
            text = requoted(source, value, new)
            readers = set(source.readers(binding, _name(binding)))
            if readers <= {item.value for _, item in good} and self._is_private(binding, readers):
                for site, _ in good:
                    self.plan.edit(site, *source.outer(value), text)
                what = f"the model {old} became {new}"
                self.plan.change(good[0][0], value, what, "constant")
            else:
                for site, item in good:
                    self.plan.edit(site, *source.outer(item.value), text)
                    what = f"{_name(binding)} is used elsewhere, too: the call names {new} itself"
                    self.plan.change(site, item.label, what, "note")

    def _settle_spread(self) -> None:
        """Change the literals that only calls that change may take their model from."""
        source = self.plan.source
        refused = [source.code(site.node) for site in self.plan.sites if site.refusal is not None]
        for literal, uses in self._spread.items():
            good = [(site, item) for site, item in uses if self.plan.is_good(site)]
            if len(good) < len(uses) or any(source.code(item.value) in code for _, item in good for code in refused):
                continue
            old = str(text_of(literal))
            new = str(self._successors[good[0][0]](old))
            for site, _ in good:
                self.plan.edit(site, *source.outer(literal), requoted(source, literal, new))
            self.plan.change(good[0][0], literal, f"the model {old} became {new}", "constant")

    def _is_private(self, binding: Node, readers: set[cst.Name]) -> bool:
        """Tell whether nothing else reads a name: it is bound once, and no other module takes it."""
        is_global = self.plan.source.function_of(binding) is self.plan.source.module
        if is_global and _name(binding) in self.exported:
            return False
        return bool(readers) and len(self.plan.source.bindings(next(iter(readers)))) == 1


def _name(binding: Node) -> str:
    return binding.name.value if isinstance(binding, cst.Param) else getattr(binding, "value", "")
