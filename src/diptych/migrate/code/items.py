"""The named values of a call, or of a dict literal that is sent as a body: rename, drop, add.

Rule: white space and comments around a value stay with the value that they stand beside.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import libcst as cst

from .plan import Plan, Site
from .source import Source, key_of, text_of


@dataclass(eq=False)
class Item:
    """A named value: ``name=value`` of a call or ``"name": value`` of a dict."""

    name: str
    value: Any
    node: Any
    label: Any
    start: int
    end: int
    is_entry: bool
    drop: bool = False


class Items:
    """The named values of one bracket, in order. ``odd`` says what has no name, where something has none."""

    def __init__(self, source: Source, node: Any, *, base: Items | None = None, leaving: Collection[str] = ()) -> None:
        self.source, self.node = source, node
        #: The dict that these are put into, after its literal; None for the literal and for a call.
        self.base = base
        self.items: list[Item] = []
        #: What is unpacked: the expressions after ``**``.
        self.unpacked: list[Any] = []
        self.odd = ""
        #: Why it is not known what is unpacked.
        self.why = ""
        self.is_dict = isinstance(node, cst.Dict)
        self.leaving = leaving
        parts = node.elements if self.is_dict else getattr(node, "args", ())
        self.positional = 0
        for part in parts:
            self._add(part)

    @classmethod
    def assigned(cls, source: Source, target: cst.Subscript, assign: Any, base: Items) -> Items:
        """Return the bracket of ``options["name"] = value``."""
        found = cls(source, target, base=base)
        name, index = key_of(target), target.slice[0].slice
        if isinstance(name, str) and isinstance(index, cst.Index) and len(assign.targets) == 1:
            start, end = source.outer(index.value)[0], source.outer(assign.value)[1]
            found.items.append(Item(name, assign.value, assign, index.value, start, end, True))
        else:
            found.odd = "a key is not a literal"
        return found

    @property
    def is_always(self) -> bool:
        """Whether what is put into a dict afterwards is put there on every way: in the block of its literal."""
        if self.base is None:
            return True
        blocks = [self.source.enclosing(node, cst.BaseSuite, cst.Module) for node in (self.node, self.base.node)]
        return blocks[0] is blocks[1]

    def _add(self, part: Any) -> None:
        if isinstance(part, cst.StarredDictElement) or (isinstance(part, cst.Arg) and part.star == "**"):
            self.unpacked.append(part.value)
            return
        if isinstance(part, cst.DictElement):
            name, label = text_of(part.key), part.key
            start = self.source.outer(part.key)[0]
        else:
            name, label = (part.keyword.value if part.keyword else None), part.keyword
            start = self.source.span(part.keyword)[0] if part.keyword else self.source.outer(part.value)[0]
        if name in self.leaving:
            return
        if name is None or getattr(part, "star", "") == "*":
            self.positional += 1
            self.odd = "a key is not a literal" if self.is_dict else "an argument has no name"
            return
        end = self.source.outer(part.value)[1]
        self.items.append(Item(name, part.value, part, label, start, end, self.is_dict))

    def get(self, name: str) -> Item | None:
        """Return the value of a name."""
        return next((item for item in self.items if item.name == name), None)

    # changes ---------------------------------------------------------------------------------

    def rename(self, plan: Plan, site: Site, item: Item, name: str) -> None:
        """Give a value another name."""
        start, end = self.source.span(item.label)
        if item.is_entry:
            quoted = self.source.text[start:end]
            plan.edit(site, start, end, quoted.replace(item.name, name))
        else:
            plan.edit(site, start, end, name)

    def replace(self, plan: Plan, site: Site, item: Item, text: str) -> None:
        """Write another value."""
        plan.edit(site, *self.source.outer(item.value), text)

    def write_drops(self, plan: Plan, site: Site) -> None:
        """Take out what was marked ``drop``, each run of neighbours at once."""
        items, at = self.items, 0
        while at < len(items):
            if not items[at].drop:
                at += 1
                continue
            last = at
            while last + 1 < len(items) and items[last + 1].drop:
                last += 1
            if last + 1 < len(items):
                plan.edit(site, *self._without_comment(items[at].start, items[last + 1].start, items[last]), "")
            else:
                plan.edit(site, items[at - 1].end, items[last].end, "")
            at = last + 1

    def _without_comment(self, start: int, end: int, last: Item) -> tuple[int, int]:
        """Return the range to take out; a comment after the value stays."""
        gap = self.source.text[last.end : end]
        if "#" not in gap:
            return start, end
        comma = self.source.span(last.node.comma)[0] + 1
        while self.source.text[comma] in " \t":
            comma += 1
        return start, comma

    def _first(self, plan: Plan, site: Site, name: str, value: str) -> None:
        """Add the first named value."""
        if self.is_dict:
            at = self.source.span(self.node)[0] + 1
            plan.edit(site, at, at, f'"{name}": {value}' + (", " if self.node.elements else ""))
        elif self.node.args:
            end = self.source.outer(self.node.args[-1].value)[1]
            plan.edit(site, end, end, f", {name}={value}")
        else:
            at = self.source.span(self.node)[1] - 1
            plan.edit(site, at, at, f"{name}={value}")

    def append(self, plan: Plan, site: Site, name: str, value: str) -> None:
        """Add a named value at the end, set as the one before it."""
        last = next((item for item in reversed(self.items) if not item.drop), None)
        if last is None:  # everything is unpacked or has no name: f(**options), f(x), f(), {}
            self._first(plan, site, name, value)
            return
        quote = self.source.text[self.source.span(last.label)[0]] if last.is_entry else ""
        text = f"{quote}{name}{quote}: {value}" if last.is_entry else f"{name}={value}"
        line = self.source.line_start(last.label)
        indent = self.source.text[line : last.start]
        if indent.strip() or last is not self.items[-1] or self.unpacked:
            own_line = not indent.strip() and last is not self.items[-1]
            plan.edit(site, last.end, last.end, f",{self.source.newline}{indent}{text}" if own_line else f", {text}")
            return
        comma = last.node.comma
        has_comma = isinstance(comma, cst.Comma)
        at = self.source.span(comma)[1] if has_comma else last.end
        _, close = self.source.span(self.node)
        rest = self.source.text[at:close]
        if "\n" not in rest and "\r" not in rest:
            plan.edit(site, last.end, last.end, f",{self.source.newline}{indent}{text}")
            return
        if not has_comma:
            plan.edit(site, last.end, last.end, ",")
        line_end = at + min(rest.index(mark) for mark in "\r\n" if mark in rest)
        plan.edit(site, line_end, line_end, f"{self.source.newline}{indent}{text}{',' if has_comma else ''}")
