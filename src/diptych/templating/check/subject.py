"""One template file as the rules see it: its text, its syntax tree, the template where it loads.

Rule: a rule asks the subject and reads no file, clock or environment by itself. What is wrong with one
declaration, tag or filter is noted in ``errors`` and set aside, so that it does not hide what else is
wrong. What a broken file does not have (a tree, a template) is None, and rules that need it are silent.
"""

from __future__ import annotations

import copy
import datetime
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from jinja2 import nodes

from ...catalogue import DEFAULT_MODEL
from ...errors import DiptychError, Location, ResourceLimit, TemplateError, TemplateNotFound
from ...sandbox.mistakes import Mistake, mistakes
from ..declared import named_samples
from ..frontmatter import Parts, key_errors, locate_path, take_apart
from ..library import Library
from ..locate import find_column, quoted_word
from ..rendered import Rendered
from ..sources import Found
from ..template import Template
from .columns import Place, fragments, parse
from .finding import Fix

N = TypeVar("N", bound=nodes.Node)
T = TypeVar("T")
#: What has a value without anything being computed, however large.
_PLAIN = (
    nodes.Const, nodes.Not, nodes.And, nodes.Or, nodes.Compare, nodes.Operand, nodes.List, nodes.Tuple, nodes.Dict,
    nodes.Pair, nodes.Neg,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a check: today's date, the caps on samples (tokens, USD), the model of templates without one."""

    today: datetime.date
    max_tokens: int | None = None
    max_cost: float | None = None
    model: str = DEFAULT_MODEL


class Sample(NamedTuple):
    """A sample of the front matter with its place, and what it renders to or why it does not."""

    name: str
    place: Location
    rendered: Rendered | None
    error: DiptychError | None = None


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
    errors: list[DiptychError] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.template  # noqa: B018 - what is wrong is noted before the first rule asks

    @cached_property
    def parts(self) -> Parts | None:
        """The front matter and the body, None where the front matter is broken or the file is too large."""
        limit = self.library.limits.source
        if len(self.text) > limit:
            message = f"the file has {len(self.text):,} characters, over {limit:,}"
            self.errors.append(ResourceLimit(message, hint="split it with includes"))
            return None
        try:
            parts = take_apart(self.text, self.file)
        except TemplateError as error:
            self.errors.append(error)
            return None
        self.errors += key_errors(parts.meta, parts.front, self.file)
        return parts

    @cached_property
    def tree(self) -> nodes.Template | None:
        """The syntax tree of the body, with columns; None where it does not parse."""
        parts, engine = self.parts, self.library.engine
        if parts is None:
            return None
        engine.remember(self)
        try:
            with engine.reading(self.name, self.file):
                return parse(engine.environment, parts.trim, parts.body, self.name, self.file)
        except TemplateError as error:
            self.errors.append(error)
            return None

    @cached_property
    def _trees(self) -> list[nodes.Template]:
        if self.tree is not None:
            return [self.tree]
        return list(fragments(self.library.engine.environment, self.parts.body)) if self.parts else []

    @cached_property
    def _nodes(self) -> list[nodes.Node]:
        return [node for tree in self._trees for node in tree.find_all(nodes.Node)]

    def each(self, *kinds: type[N]) -> Iterator[N]:
        """Yield the nodes that are of one of these kinds: of the body, or of the tags that parse by themselves."""
        return (node for node in self._nodes if isinstance(node, kinds))

    @cached_property
    def mistakes(self) -> tuple[Mistake, ...]:
        """What is wrong with the body and what Jinja does not see when it parses: an unknown filter, for one."""
        environment, is_whole = self.library.engine.environment, self.tree is not None
        found = (one for tree in self._trees for one in mistakes(tree, environment, in_branches=True))
        return tuple(one for one in found if is_whole or one.is_name)

    @cached_property
    def template(self) -> Template | None:
        """The template without what is set aside; None where it does not load all the same."""
        if self.parts is None:
            return None
        text = self._with_own_keys(self.text)
        if self.tree is None:  # what is wrong with the front matter is found without the body
            text = text.removesuffix(self.parts.body)
        with _known_names(self.each(nodes.Filter, nodes.Test) if self.mistakes else ()):
            loaded = self._loaded(Found(self.name, self.file, text, text))
        return loaded if self.tree is not None else None

    def _with_own_keys(self, text: str) -> str:
        """Return the text with every wrong key of the front matter as a key of one's own, which means nothing."""
        lines = text.split("\n") if self.errors else []
        for number, error in enumerate(sorted(self.errors, key=self.at_error, reverse=True)):
            if (place := getattr(error, "location", None)) and self.parts and 1 < place.line <= self.parts.offset:
                line = lines[place.line - 1]
                lines[place.line - 1] = f"{line[: place.column - 1]}x-{number}{line[place.column - 1 + place.width :]}"
        return "\n".join(lines) if lines else text

    def _loaded(self, found: Found) -> Template | None:
        engine, limits = self.library.engine, self.library.limits
        try:
            compiled = copy.copy(engine.load(found, limits, tree=self.tree))
        except DiptychError as error:
            self.errors += [error] if all(mistake.is_name for mistake in self.mistakes) else []
            return None
        while True:
            try:
                return Template(engine, compiled, limits)
            except DiptychError as error:
                self.errors.append(error)
                kept = without(compiled.meta, error.path or "")
                if kept == compiled.meta:
                    return None
                compiled.meta = kept

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

    @cached_property
    def samples(self) -> list[Sample]:
        """The samples, rendered once for all rules; none where the template would not run."""
        if self.template is None or self.mistakes:
            return []
        return [self._sample(name, values) for name, values in self.template.samples.items()]

    def _sample(self, name: str, values: dict[str, Any]) -> Sample:
        assert self.template is not None
        try:
            rendered = self.template.render(values)
            rendered.messages  # noqa: B018 - a projection is made when it is asked for
        except DiptychError as error:
            return Sample(name, self.at_key("samples", name), None, error)
        return Sample(name, self.at_key("samples", name), rendered)

    def measured(self, measure: Callable[[Rendered], T | None]) -> Iterator[tuple[Sample, T]]:
        """Yield the samples that render and whose number is known, each with it."""
        for sample in self.samples:
            with suppress(DiptychError):
                if sample.rendered is not None and (number := measure(sample.rendered)) is not None:
                    yield sample, number

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
    def _lines(self) -> list[str]:
        return self.text.removeprefix("\ufeff").split("\n")

    def line(self, number: int) -> str:
        """Return a line of the file (1-based)."""
        return self._lines[number - 1].rstrip("\r") if 0 < number <= len(self._lines) else ""

    def at(self, line: int, word: str | None = None) -> Location:
        """Return the place of a word in a line of the body: the one that stands there, or the next one."""
        number = line + (self.parts.offset if self.parts else 0)
        source, start = self.line(number), line.column - 1 if isinstance(line, Place) else 0
        if word is None:
            start = max(0, *(source.rfind(opening, 0, start + 2) for opening in ("{%", "{{")))
        column, width = find_column(source[start:], word)
        return Location(self.file, number, start + column, source, width)

    def at_mistake(self, mistake: Mistake) -> Location:
        """Return the place of a mistake that was found in the syntax tree."""
        return self.at(mistake.line or 1, quoted_word(mistake.message))

    def at_key(self, *path: str) -> Location:
        """Return the place of a key of the front matter (``"inputs", "text"``), else the beginning of the file."""
        return self.at_path("$." + ".".join(path)) or self.top

    def at_path(self, path: str) -> Location | None:
        """Return the place of a JSON path in the front matter."""
        return locate_path(self.parts.front, path, self.file) if self.parts else None

    @property
    def top(self) -> Location:
        """The first line of the file."""
        return Location(self.file, 1, 1, self.line(1)[:200], max(1, len(self.line(1)[:200])))

    def at_error(self, error: DiptychError) -> Location:
        """Return the place of an error that loading the template raised."""
        return (self.at_path(error.path) if error.path else None) or _place_of(error) or self.top

    def at_offset(self, position: int, width: int = 1) -> Location:
        """Return the place of a character of the whole text."""
        number = self.text.count("\n", 0, position) + 1
        column = position - (self.text.rfind("\n", 0, position) + 1) + 1
        return Location(self.file, number, column, self.line(number), width)

    def insert_key(self, line: str) -> Fix:
        """Return the fix that adds a line to the front matter."""
        if self.parts and self.parts.front:
            end = self.text.index("\n") + 1
            return Fix(end, end, f"{line}\n")
        return Fix(0, 0, f"---\n{line}\n---\n")

    def finds(self, name: str) -> bool:
        """Tell whether a template of that name can be included."""
        try:
            return self.library.engine.lookup(name) is not None
        except TemplateNotFound:
            return False

    @cached_property
    def messages(self) -> list[WrittenMessage]:
        """The messages that are written out in the body."""
        return [] if self.tree is None else _messages(self.tree)


def _place_of(error: DiptychError) -> Location | None:
    place: Location | None = getattr(error, "location", None)
    return place


@contextmanager
def _known_names(named: Iterable[nodes.Filter | nodes.Test]) -> Iterator[None]:
    """Give filters and tests names that are known, while a template is loaded."""
    names = [(node, node.name) for node in named]
    for node, _ in names:
        node.name = "string" if isinstance(node, nodes.Filter) else "defined"
    yield
    for node, name in names:
        node.name = name


def _put(items: list[Any], index: str, value: Any) -> list[Any]:
    return [value if str(number) == index else item for number, item in enumerate(items)]


def without(meta: dict[str, Any], path: str) -> dict[str, Any]:
    """Return a front matter without what stands at a path; an input stays and takes anything.

    >>> without({"inputs": {"a": "strng", "b": "string"}, "model": 5}, "$.inputs.a")
    {'inputs': {'a': {}, 'b': 'string'}, 'model': 5}
    """
    top, *rest = re.findall(r"[^.\[\]]+", path.removeprefix("$")) or [""]
    inner = meta.get(top)
    if (
        top == "tools"
        and rest
        and isinstance(inner, list)
        and inner != (kept := _put(inner, rest[0], {"name": "tool"}))
    ):
        return {**meta, top: kept}
    if top == "samples" and rest and isinstance(samples := named_samples(inner), dict) and rest[0] in samples:
        return {**meta, top: {name: one for name, one in samples.items() if name != rest[0]}}
    if top == "inputs" and rest and isinstance(inner, dict) and inner.get(rest[0]) != {}:
        return {**meta, top: {**inner, rest[0]: {}}}
    return {name: one for name, one in meta.items() if name != top}


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


def constants(node: nodes.Node) -> list[Any]:
    """Return the value of an expression in a list, or nothing where it has to be computed."""
    inner = [node, *node.find_all(nodes.Node)]
    return [node.as_const()] if isinstance(node, nodes.Expr) and all(isinstance(one, _PLAIN) for one in inner) else []


def is_end(node: nodes.Node) -> bool:
    """Tell whether a node ends a message."""
    first = node.nodes[0] if isinstance(node, nodes.Output) and node.nodes else None
    called = first.node if isinstance(first, nodes.Call) else None
    return isinstance(called, nodes.ExtensionAttribute) and called.name == "make_end"
