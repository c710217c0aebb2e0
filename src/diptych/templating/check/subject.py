"""One template file as the rules see it: its text, its syntax tree, the template where it loads.

Rule: a rule asks the subject and reads no file, clock or environment by itself. What is wrong with one
declaration, tag or filter is noted in ``errors`` and set aside, so that it does not hide what else is
wrong. What a broken file does not have (a tree, a template) is None, and rules that need it are silent.
"""

from __future__ import annotations

import copy
import datetime
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from jinja2 import nodes

from ...catalogue import DEFAULT_MODEL
from ...errors import DiptychError, ResourceLimit, TemplateError, TemplateNotFound
from ...sandbox.mistakes import Mistake, mistakes
from ..frontmatter import Parts, key_errors, take_apart
from ..library import Library
from ..rendered import Rendered
from ..sources import Found
from ..template import Template
from .aside import known_names, without
from .columns import fragments, parse
from .places import Places
from .written import WrittenMessage, written_messages

N = TypeVar("N", bound=nodes.Node)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a check: today's date, the caps on samples (tokens, USD), the model of templates without one."""

    today: datetime.date
    max_tokens: int | None = None
    max_cost: float | None = None
    model: str = DEFAULT_MODEL


class Sample(NamedTuple):
    """A sample of the front matter, and what it renders to or why it does not."""

    name: str
    rendered: Rendered | None
    errors: list[DiptychError]


@dataclass
class Subject(Places):
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
        found = (
            one for tree in self._trees for one in mistakes(tree, environment, in_branches=True, in_arguments=True)
        )
        return tuple(one for one in found if is_whole or one.is_name)

    @cached_property
    def template(self) -> Template | None:
        """The template without what is set aside; None where it does not load all the same."""
        if self.parts is None:
            return None
        text = self._with_own_keys(self.text)
        if self.tree is None:  # what is wrong with the front matter is found without the body
            text = text.removesuffix(self.parts.body)
        with known_names(self.each(nodes.Filter, nodes.Test) if self.mistakes else ()):
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
        """The samples, rendered once for all rules; a mistake that is found anyway is not an error of theirs."""
        if self.template is None:
            return []
        return [self._sample(name, values) for name, values in self.template.samples.items()]

    def _sample(self, name: str, values: dict[str, Any]) -> Sample:
        assert self.template is not None
        errors: list[DiptychError] = []
        while True:
            try:
                rendered = self.template.render(values)
                rendered.messages  # noqa: B018 - a projection is made when it is asked for
                return Sample(name, None if errors else rendered, errors)
            except DiptychError as error:
                _, is_input, path = (error.path or "").partition("$.inputs.")
                errors += [error] if is_input or not self.mistakes else []
                if path not in values or path in self.template.inputs:
                    return Sample(name, None, errors)
                values = {one: value for one, value in values.items() if one != path}  # it is not declared

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

    def finds(self, name: str) -> bool:
        """Tell whether a template of that name can be included."""
        try:
            return self.library.engine.lookup(name) is not None
        except TemplateNotFound:
            return False

    @cached_property
    def messages(self) -> list[WrittenMessage]:
        """The messages that are written out in the body."""
        return [] if self.tree is None else written_messages(self.tree)
