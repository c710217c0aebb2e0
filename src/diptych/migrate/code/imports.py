"""Names that are imported and change their home: ``Completion``, LangChain's ``OpenAI``.

Rule: where every use of the name changes, the import is renamed in place; where some stay,
the new name is imported beside the old one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import libcst as cst

from .bindings import import_path
from .plan import Plan, Site
from .source import Node, dotted


class _Use(NamedTuple):
    site: Site
    node: cst.Name
    module: str
    name: str


class Imports:
    """The imported names of one source that change."""

    def __init__(self, plan: Plan, exported: frozenset[str]) -> None:
        self.plan, self.exported = plan, exported
        self.source = plan.source
        self._uses: dict[tuple[Node, str], list[_Use]] = {}
        plan.later.append(self._settle)

    def use(self, site: Site, binding: Node, node: cst.Name, module: str, name: str) -> None:
        """Note that a name bound by an import shall be another: ``from module import name``."""
        self._uses.setdefault((binding, node.value), []).append(_Use(site, node, module, name))

    def _settle(self) -> None:
        for (binding, local), uses in self._uses.items():
            good = [use for use in uses if self.plan.is_good(use.site)]
            if not good or not isinstance(binding, cst.ImportFrom):
                continue
            alias = next(a for a in _aliases(binding) if _local(a) == local)
            readers = set(self.source.readers(binding, local))
            whole = readers <= {use.node for use in good} and local not in self.exported
            self._write(binding, alias, good, whole)

    def _write(self, binding: cst.ImportFrom, alias: cst.ImportAlias, good: list[_Use], whole: bool) -> None:
        use, sites = good[0], [use.site for use in good]
        same = import_path(binding, _local(alias)).rpartition(".")[0] == use.module
        keeps_name = whole and alias.asname is not None
        if not keeps_name:
            for other in good:
                self.plan.edit(other.site, *self.source.span(other.node), use.name)
        for site in dict.fromkeys(sites):
            if self._is_bound(use.name) and not keeps_name:
                continue
            if whole and (same or len(_aliases(binding)) == 1):
                self.plan.edit(site, *self.source.span(alias.name), use.name)
                if not same and binding.module is not None:
                    self.plan.edit(site, *self.source.span(binding.module), use.module)
            elif same:
                end = self._end(alias)
                self.plan.edit(site, end, end, f", {use.name}")
            else:
                self._beside(site, binding, alias, use, whole, keeps_name)
        self.plan.change(sites[0], binding, f"{use.name} is imported from {use.module}", "import")

    def _beside(
        self, site: Site, binding: cst.ImportFrom, alias: cst.ImportAlias, use: _Use, whole: bool, keeps_name: bool
    ) -> None:
        """Import the new name in a statement of its own; take the old one out where nothing uses it."""
        line = self.source.enclosing(binding, cst.SimpleStatementLine)
        start = self.source.line_start(line)
        indent = self.source.text[start : self.source.span(line)[0]]
        asname = f" as {_local(alias)}" if keeps_name else ""
        at = self.source.span(line)[0]
        text = f"from {use.module} import {use.name}{asname}{self.source.newline}{indent}"
        self.plan.edit(site, at, at, text)
        if not whole:
            return
        every = _aliases(binding)
        number = every.index(alias)
        if number + 1 < len(every):
            self.plan.edit(site, self.source.span(alias)[0], self.source.span(every[number + 1])[0], "")
        else:
            self.plan.edit(site, self._end(every[number - 1]), self._end(alias), "")

    def _end(self, alias: cst.ImportAlias) -> int:
        last: Any = alias.asname.name if alias.asname is not None else alias.name
        return self.source.span(last)[1]

    def _is_bound(self, name: str) -> bool:
        return any(
            _local(alias) == name
            for node in self.source.nodes
            if isinstance(node, cst.ImportFrom)
            for alias in _aliases(node)
        )


def _aliases(node: cst.ImportFrom) -> list[cst.ImportAlias]:
    return [] if isinstance(node.names, cst.ImportStar) else list(node.names)


def _local(alias: cst.ImportAlias) -> str:
    if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
        return alias.asname.name.value
    return ".".join(dotted(alias.name))
