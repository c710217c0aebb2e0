"""Which calls change together: all of a group, or none of it.

Rule: an answer that two calls share ties them; one refusal in a group refuses the group.
Ranges are only handed out after every call has been looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import libcst as cst

from .edits import Edit
from .model import NOTHING_HELD, Change, Held, Link, Prompted, Refusal
from .models import Models
from .source import Node, Source


@dataclass(eq=False)
class Site:
    """A call, or a mock of one: the ranges that change, what is said of them, why it is refused."""

    node: Node
    kind: str
    #: The way of asking, or "" where no mock can stand for it: v0, v1, http.
    family: str = ""
    edits: list[Edit] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    refusal: Refusal | None = None
    reads_logprobs: bool = False
    asks_logprobs: bool = False
    #: The prompt's name says several, and nothing says what it holds.
    may_be_many: bool = False
    #: Choices beyond the first are read, though ``n`` is not asked for.
    reads_all: bool = False
    #: The prompt as text, each hole a word, and the messages that it became; where it was written here.
    prompt: tuple[str, list[dict[str, str]]] | None = None
    #: The name that holds the prompt, where the answer was to begin with it.
    echo: cst.Name | None = None
    #: The server is not OpenAI's own.
    is_away: bool = False
    tied: Site | None = None
    #: The modules that a mock names, the nearest to its end last.
    targets: tuple[str, ...] = ()

    def root(self) -> Site:
        """Return the site that stands for the group."""
        return self if self.tied is None else self.tied.root()


class Settled(NamedTuple):
    """What is decided over a source."""

    edits: list[Edit]
    changes: list[Change]
    refusals: list[Refusal]
    links: list[Link]
    prompts: list[Prompted]


class Plan:
    """The sites of one source, and the decision over them."""

    def __init__(self, source: Source, models: Models, held: Held = NOTHING_HELD) -> None:
        self.source, self.held, self.models, self.target = source, held, models, models.target
        self.sites: list[Site] = []
        #: What can only be decided when it is known which calls change.
        self.later: list[Callable[[], None]] = []
        #: Literal answers of the Completions API in no mock that is known.
        self.loose: list[tuple[Node, tuple[str, ...]]] = []

    def site(self, node: Node, kind: str = "call", family: str = "") -> Site:
        """Begin a site."""
        found = Site(node, kind, family)
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

    def settle_names(
        self,
        found: dict[Node, list[tuple[Site, cst.Name]]],
        code: str,
        escapes: Callable[[list[cst.Name]], bool],
        counts: Callable[[cst.Name], bool] | None = None,
    ) -> None:
        """Tie the sites that share a binding; refuse them where it has another use that ``counts``, or ``escapes``.

        What two sites share is edited once: equal edits are made once.
        """
        for binding, uses in found.items():
            first, names = uses[0][0], [name for _, name in uses]
            for site, _ in uses:
                self.tie(first, site)
            readers = {name for name in self.source.readers(binding, names[0].value) if counts is None or counts(name)}
            if not readers <= set(names) or escapes(names):
                self.refuse(first, code, f"{names[0].value} has other uses")

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

    def settle(self) -> Settled:
        """Decide every group, then do what waited for that."""
        for site in self.sites:
            if (why := self.held.get(self._at(site.node))) is not None and site.family:
                self.refuse(site, "mock-apart", why)
        for site in self.sites:
            if site.asks_logprobs and site.reads_logprobs:
                self.refuse(site, "logprobs", "the result's logprobs are read")
            if site.may_be_many and site.reads_all:
                self.refuse(site, "prompt-list", "its name says several, and every choice is read")
        self._refuse_tied()
        while self._refuse_apart():
            self._refuse_tied()
        for act in self.later:
            act()
        good = [site for site in self.sites if site.refusal is None]
        edits = [edit for site in good for edit in site.edits]
        changes = [change for site in good for change in site.changes]
        refusals = [site.refusal for site in self.sites if site.refusal is not None]
        prompts = [Prompted(self.source.place(s.node), *s.prompt) for s in good if s.prompt and s.is_away]
        return Settled(edits, changes, refusals, self._links(), prompts)

    def _refuse_tied(self) -> None:
        """A site tied to a refused one says which."""
        for site in self.sites:
            if site.refusal is None and not self.is_good(site):
                cause = next(o for o in self.sites if o.root() is site.root() and o.refusal is not None)
                self.refuse(site, "shared-result", f"line {self.source.line(cause.node)}")

    def _refuse_apart(self) -> bool:
        """Calls and the mocks of this source that stand for them change together; tell whether any was refused."""
        found = False
        for family in {site.family for site in self.sites if site.family}:
            group = [site for site in self.sites if site.family == family]
            if len({site.kind == "mock" for site in group}) < 2:
                continue
            cause = next((site for site in group if site.refusal is not None), None)
            for site in group if cause is not None else ():
                if site.refusal is None and cause is not None:
                    self.refuse(site, "mock-apart", f"line {self.source.line(cause.node)} is refused")
                    found = True
        return found

    def _at(self, node: Node) -> tuple[int, int]:
        place = self.source.place(node)
        return place.line, place.column

    def _links(self) -> list[Link]:
        found = [
            Link(
                self.source.place(s.node),
                s.family,
                s.kind == "mock",
                s.refusal is not None,
                s.targets,
                self._at(s.node),
            )
            for s in self.sites
            if s.family
        ]
        return found + [
            Link(self.source.place(node), "", True, True, targets, self._at(node), is_loose=True)
            for node, targets in self.loose
        ]
