"""Which calls change together: all of a group, or none of it.

Rule: an answer that two calls share ties them; one refusal in a group refuses the group.
Ranges are only handed out after every call has been looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .edits import Edit
from .model import Change, Refusal
from .source import Node, Source


@dataclass(eq=False)
class Site:
    """A call, or a mock of one: the ranges that change, what is said of them, why it is refused."""

    node: Node
    kind: str
    edits: list[Edit] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    refusal: Refusal | None = None
    reads_logprobs: bool = False
    asks_logprobs: bool = False
    #: The prompt's name says several, and nothing says what it holds.
    may_be_many: bool = False
    #: Choices beyond the first are read, though ``n`` is not asked for.
    reads_all: bool = False
    tied: Site | None = None
    #: Found to be no business of ours: neither changed nor reported.
    ignored: bool = False

    def root(self) -> Site:
        """Return the site that stands for the group."""
        return self if self.tied is None else self.tied.root()


class Plan:
    """The sites of one source, and the decision over them."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.sites: list[Site] = []
        #: What can only be decided when it is known which calls change.
        self.later: list[Callable[[], None]] = []

    def site(self, node: Node, kind: str = "call") -> Site:
        """Begin a site."""
        found = Site(node, kind)
        self.sites.append(found)
        return found

    def refuse(self, site: Site, code: str, detail: str = "", at: Node | None = None) -> None:
        """Refuse a site; the first reason is kept. ``at`` is where it was seen."""
        if site.refusal is None:
            if at is not None:
                where = f"line {self.source.line(at)}"
                detail = f"{detail} ({where})" if detail else where
            site.refusal = Refusal.of(self.source.place(site.node), code, detail)

    def tie(self, one: Site, other: Site) -> None:
        """Say that two sites change together."""
        first, second = one.root(), other.root()
        if first is not second:
            second.tied = first

    def change(self, site: Site, node: Node, what: str, kind: str) -> None:
        """Say what is changed at a node."""
        found = Change(self.source.place(node), what, kind)
        if found not in site.changes:
            site.changes.append(found)

    def edit(self, site: Site, start: int, end: int, text: str) -> None:
        """Replace a range of characters, if the site's group changes."""
        site.edits.append(Edit(start, end, text))

    def is_good(self, site: Site) -> bool:
        """Tell whether a site's group changes."""
        root = site.root()
        return not any(other.refusal for other in self.sites if other.root() is root)

    def settle(self) -> tuple[list[Edit], list[Change], list[Refusal]]:
        """Decide every group, then do what waited for that."""
        for site in self.sites:
            if site.asks_logprobs and site.reads_logprobs:
                self.refuse(site, "logprobs", "the result's logprobs are read")
            if site.may_be_many and site.reads_all:
                self.refuse(site, "prompt-list", "its name says several, and every choice is read")
        # A site tied to a refused one says which.
        for site in self.sites:
            if site.refusal is None and not self.is_good(site):
                cause = next(o for o in self.sites if o.root() is site.root() and o.refusal is not None)
                self.refuse(site, "shared-result", f"line {self.source.line(cause.node)}")
        for act in self.later:
            act()
        good = [site for site in self.sites if site.refusal is None]
        edits = [edit for site in good for edit in site.edits]
        changes = [change for site in good for change in site.changes]
        return edits, changes, [site.refusal for site in self.sites if site.refusal is not None]
