"""One template file as the rules see it: its text, its syntax tree, the template where it loads.

Rule: a rule asks the subject and reads no file, clock or environment by itself. What a broken
file has not (a tree, a template) is None, and rules that need it are silent.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from jinja2 import meta, nodes

from ...catalogue import DEFAULT_MODEL
from ...errors import DiptychError, Location, TemplateError
from ..engine import Compiled
from ..frontmatter import Parts, locate_key, split
from ..library import Library
from ..locate import SourceText
from ..sources import Found
from ..template import Template
from ..whitespace import trimming
from .finding import Fix

N = TypeVar("N", bound=nodes.Node)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a check is told: today's date, the caps on samples (tokens, USD), the model of templates without one."""

    today: datetime.date
    max_tokens: int | None = None
    max_cost: float | None = None
    model: str = DEFAULT_MODEL


class WrittenMessage(NamedTuple):
    """A message of the body: where it begins, its role where that is written out, and what is in it."""

    start: nodes.Node
    role: str | None
    inside: list[nodes.Node]


@dataclass
class Subject:
    """A template file under check; ``library`` finds what it includes."""

    file: str
    name: str
    text: str
    library: Library
    settings: Settings
    error: DiptychError | None = field(default=None, init=False)

    @cached_property
    def parts(self) -> Parts | None:
        """The front matter and the body, None where the front matter is broken."""
        try:
            return split(self.text, self.file)
        except TemplateError as error:
            self.error = error
            return None

    @cached_property
    def tree(self) -> nodes.Template | None:
        """The syntax tree of the body, None where it does not parse."""
        parts, engine = self.parts, self.library.engine
        if parts is None:
            return None
        try:
            with engine.reading(self.name, self.file), trimming(parts.trim):
                engine.split(Found(self.name, self.file, self.text, self.text))
                found: nodes.Template = engine.environment._parse(parts.body, self.name, self.file)
            return found
        except TemplateError as error:
            self.error = error
            return None

    @cached_property
    def _nodes(self) -> list[nodes.Node]:
        return [] if self.tree is None else list(self.tree.find_all(nodes.Node))

    def each(self, *kinds: type[N]) -> Iterator[N]:
        """Yield the nodes of the body that are of one of these kinds; the tree is walked once for all rules."""
        return (node for node in self._nodes if isinstance(node, kinds))

    @cached_property
    def template(self) -> Template | None:
        """The template, None where it does not load."""
        if self.tree is None:
            return None
        try:
            return self.library.from_text(self.text, name=self.name, file=self.file, tree=self.tree)
        except DiptychError as error:
            self.error = error
            return None

    @property
    def front(self) -> dict[str, Any]:
        """The front matter, with what the template inherits."""
        if self.template is not None:
            return self.template.metadata
        return self.parts.meta if self.parts else {}

    @property
    def model(self) -> str:
        """The model that the template names, else the one of the settings."""
        return str(self.front.get("model") or self.settings.model)

    @property
    def compiled(self) -> Compiled | None:
        """The compiled form of the template."""
        return self.template.compiled if self.template else None

    @cached_property
    def assigned(self) -> frozenset[str]:
        """The names that the body itself sets, in loops, blocks and macros too."""
        stored = {node.name for node in self.each(nodes.Name) if node.ctx != "load"}
        return frozenset(stored | {node.name for node in self.each(nodes.Macro)} | self._imported())

    def _imported(self) -> set[str]:
        found = {node.target for node in self.each(nodes.Import)}
        for node in self.each(nodes.FromImport):
            found |= {name if isinstance(name, str) else name[1] for name in node.names}
        return found

    @cached_property
    def used(self) -> frozenset[str]:
        """The names that the body takes from its inputs."""
        if self.template is not None:
            return self.template.compiled.variables
        if self.tree is None:
            return frozenset()
        return frozenset(meta.find_undeclared_variables(self.tree)) - set(self.library.engine.environment.globals)

    @cached_property
    def source(self) -> SourceText:
        """The text, for places in it."""
        return SourceText(self.file, self.text.removeprefix("\ufeff"), self.parts.offset if self.parts else 0)

    def at(self, line: int, word: str | None = None) -> Location:
        """Return the place of a word in a line of the body."""
        return self.source.location(line, word)

    def at_key(self, key: str) -> Location:
        """Return the place of a key of the front matter, else of its inputs, else the beginning of the file."""
        front = self.parts.front if self.parts else ""
        for name in (key, "inputs"):
            if (place := locate_key(front, name, self.file)).line > 1:
                return place
        return Location(self.file, 1, 1, self.source.line(1), max(1, len(self.source.line(1))))

    def at_offset(self, position: int, width: int = 1) -> Location:
        """Return the place of a character of the whole text."""
        number = self.text.count("\n", 0, position) + 1
        column = position - (self.text.rfind("\n", 0, position) + 1) + 1
        return Location(self.file, number, column, self.source.line(number), width)

    def insert_key(self, line: str) -> Fix:
        """Return the fix that adds a line to the front matter."""
        if self.parts and self.parts.front:
            end = self.text.index("\n") + 1
            return Fix(end, end, f"{line}\n")
        return Fix(0, 0, f"---\n{line}\n---\n")

    @cached_property
    def messages(self) -> list[WrittenMessage]:
        """The messages that are written out in the body."""
        return [] if self.tree is None else _messages(self.tree)


def _messages(parent: nodes.Node) -> list[WrittenMessage]:
    found: list[WrittenMessage] = []
    inside: list[nodes.Node] | None = None
    for node in parent.iter_child_nodes():
        fields = getattr(node, "message_fields", None)
        if fields is not None:
            role, inside = fields.get("role"), []
            found.append(WrittenMessage(node, role.value if isinstance(role, nodes.Const) else None, inside))
        elif inside is not None and is_end(node):
            inside = None
        elif inside is not None:
            inside.append(node)
        else:
            found += _messages(node)
    return found


def is_end(node: nodes.Node) -> bool:
    """Tell whether a node ends a message."""
    first = node.nodes[0] if isinstance(node, nodes.Output) and node.nodes else None
    called = first.node if isinstance(first, nodes.Call) else None
    return isinstance(called, nodes.ExtensionAttribute) and called.name == "make_end"
