"""Compile and run the templates of one library.

Rule: one environment a library, one compiled form a content. Whatever goes wrong
inside of Jinja or Python comes out as a TemplateError with its place; a bare
MemoryError or RecursionError never does.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import DecimalException
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

import jinja2
from jinja2 import meta, nodes

from ..errors import (
    DiptychError,
    FormatError,
    InvalidInput,
    Location,
    ResourceLimit,
    RoleError,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedInput,
)
from ..sandbox import DEFAULT_LIMITS, Limits, close_account, make_environment, open_account
from ..sandbox.costs import FILTER_COSTS, metered, metered_extra
from ..sandbox.limits import compiling, current_limits
from ..sandbox.mistakes import Mistake, mistake_of, mistakes, unknown_in_message
from ..sandbox.names import undeclared_names
from ..sandbox.nesting import watched
from ..suggest import closest, suggest
from . import frontmatter
from .assemble import Assembled, Misplaced, assemble
from .codegen import TraceEnvironment
from .events import Place
from .filters import FILTERS
from .locate import SourceText, quoted_word, trace
from .plan import Plan, make_plan
from .sources import SUFFIXES, Found, Source, check_name
from .tags import MessageTags, TagError
from .whitespace import trimming
from .wording import reworded, run_words, tag_mistake

#: Part of every hash: a change of what a template means changes it.
ENGINE_VERSION = "diptych-2"


class Compiled:
    """One template, parsed: its front matter, its names, its plan, and how to run it."""

    __slots__ = (
        "_engine", "_template", "file", "meta", "name", "parent", "parts", "plan", "references", "text", "variables",
    )  # fmt: skip

    def __init__(self, engine: Engine, found: Found, tree: nodes.Template | None = None) -> None:
        self._engine = engine
        self.name, self.file, self.text = found.name, found.file, found.text
        self.parts = engine.split(found)
        self.meta = self.parts.meta
        with trimming(self.parts.trim):
            tree = engine.checked(tree, found.name) if tree else engine.parse(self.parts.body, found.name, found.file)
        with engine.reading(found.name, found.file):
            self.references = tuple(meta.find_referenced_templates(tree))
            self.variables = undeclared_names(tree) - set(engine.environment.globals)
            self.plan: Plan | None = make_plan(tree.body)
        #: The template that this one extends, where its name stands in the text.
        extended = (node.template for node in tree.find_all(nodes.Extends))
        self.parent: str | None = next((name.value for name in extended if isinstance(name, nodes.Const)), None)
        self._template: Any = None

    def run(self, values: Mapping[str, Any], limits: Limits) -> Assembled:
        """Run the template in Jinja on plain values. Raises TemplateError."""
        if self._template is None:
            self._template = self._engine.compile(self)
        self._engine.remember(self)  # two texts may share a name, as strings do
        return self._engine.run(self._template, values, limits, self.variables)

    @property
    def found(self) -> Found:
        """The text with its name, as it was found."""
        return Found(self.name, self.file, self.text, self.text)

    def location(self, front_key: str) -> Location:
        """Return the place of a key of the front matter."""
        return frontmatter.locate_key(self.parts.front, front_key, self.file)


class Engine:
    """The environment of one library and the templates compiled in it."""

    def __init__(
        self,
        source: Source | None = None,
        *,
        filters: Mapping[str, Callable[..., Any]] | None = None,
        globals: Mapping[str, Any] | None = None,
        media: str | os.PathLike[str] | None = None,
    ) -> None:
        self._source = source
        self._sources: dict[str | None, SourceText] = {}
        self._compiled: dict[tuple[str, str], Compiled] = {}
        self.environment = make_environment(
            loader=_Loader(self), extensions=[MessageTags], environment_class=TraceEnvironment
        )
        self.environment.filters.update({name: metered(made, FILTER_COSTS[name]) for name, made in FILTERS.items()})
        self.environment.media = self.media = None if media is None else Path(media)
        #: The caller's own filters and globals.
        self.extras: tuple[dict[str, Callable[..., Any]], dict[str, Any]] = ({}, dict(globals or {}))
        for filter_name, function in (filters or {}).items():
            self.add_filter(filter_name, function)
        self.environment.globals.update(self.extras[1])

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle where templates come from; what is compiled is compiled anew."""
        return make_engine, (self._source, *self.extras, self.media)

    def add_filter(self, name: str, function: Callable[..., Any]) -> None:
        """Register a filter of the caller's own."""
        self.extras[0][name] = function
        self.environment.filters[name] = metered_extra(watched(function))

    # reading -------------------------------------------------------------------------

    def find(self, name: str) -> Found:
        """Return the template of that name, its suffix added where it is missing."""
        if found := self.lookup(name):
            return found
        raise self._not_found(name)

    def lookup(self, name: str) -> Found | None:
        """Return the template of that name, or None. Raises TemplateNotFound for what is not a name."""
        check_name(name)
        if self._source:
            for candidate in (name, *(name + suffix for suffix in SUFFIXES)):
                if found := self._source.find(candidate):
                    return found
        return None

    def _not_found(self, name: str) -> TemplateNotFound:
        names = list(self._source.names()) if self._source else []
        return TemplateNotFound(f"there is no template {name!r}", hint=suggest_name(name, names))

    def load(self, found: Found, limits: Limits = DEFAULT_LIMITS, *, tree: nodes.Template | None = None) -> Compiled:
        """Return the compiled form of a text; the same text is compiled once. ``tree`` is that of its body, if known.

        Raises ResourceLimit for a text over ``limits.source``.
        """
        if len(found.text) > limits.here.source:
            raise ResourceLimit(
                f"{found.file}: a template of over {limits.source:,} characters",
                hint="split it with includes, or raise Limits.source",
            )
        key = (found.name, found.text)
        compiled = self._compiled.get(key)
        if compiled is None:
            if len(self._compiled) >= 512:
                self._compiled.clear()
            compiled = self._compiled[key] = Compiled(self, found, tree)
        return compiled

    def front_matter(self, compiled: Compiled, limits: Limits) -> dict[str, Any]:
        """Return the front matter of a template with what it inherits by ``extends``, key by key.

        Inputs and params are inherited one by one; a name, a version and the rule for white space are a file's own.
        """
        meta, seen = compiled.meta, {compiled.name}
        while (name := compiled.parent) is not None and (found := self.lookup(name)) and found.name not in seen:
            seen.add(found.name)
            try:
                compiled = self.load(found, limits)
            except TemplateError:
                break  # the render says what is wrong with the parent, and how it was reached
            meta = _inherited(meta, compiled.meta)
        return meta

    def split(self, found: Found) -> frontmatter.Parts:
        """Take the front matter off and remember the source for messages."""
        parts = frontmatter.split(found.text, found.file)
        self._sources[found.name] = SourceText(found.file, found.text.removeprefix("\ufeff"), parts.offset)
        return parts

    def remember(self, compiled: Any) -> None:
        """Make messages about this name show this text: that of a compiled template, or of one that is checked."""
        self._sources[compiled.name] = SourceText(
            compiled.file, compiled.text.removeprefix("\ufeff"), compiled.parts.offset
        )

    def called(self, name: str, found: Found) -> None:
        """Make messages about a template that was named without its suffix show its text."""
        self._sources[name] = self._sources[found.name]

    # compiling -----------------------------------------------------------------------

    def parse(self, body: str, name: str, file: str) -> nodes.Template:
        """Parse a body. Raises TemplateSyntaxError with its place."""
        with self.reading(name, file):
            return self.checked(self.environment._parse(body, name, file), name)

    def checked(self, tree: nodes.Template, name: str) -> nodes.Template:
        """Return a tree without mistakes. Raises TemplateSyntaxError for the first that is in it."""
        for mistake in mistakes(tree, self.environment, in_branches=True):
            raise self._mistaken(mistake, name)
        return tree

    def compile(self, compiled: Compiled) -> Any:
        """Return the Jinja template of a parsed text."""
        with self.reading(compiled.name, compiled.file), trimming(compiled.parts.trim):
            code = self.environment.compile(compiled.parts.body, compiled.name, compiled.file)
        return self.environment.template_class.from_code(self.environment, code, self.environment.make_globals(None))

    @contextmanager
    def reading(self, name: str, file: str) -> Iterator[None]:
        """Turn whatever goes wrong while a template is parsed or compiled into an error of ours.

        Jinja lets errors of Python through (an integer of 5,000 digits, a name with NUL,
        code that Python will not compile), so nothing less than every error is caught.
        """
        try:
            with compiling():
                yield
        except DiptychError:
            raise
        except Exception as error:
            mistake = mistake_of(error, self.environment)
            if mistake is None:
                raise _too_deep(file) from None
            raise self._mistaken(mistake, name) from None

    def _mistaken(self, mistake: Mistake, name: str) -> TemplateSyntaxError:
        source = self._sources.get(name) or SourceText(name, "")
        mistake = reworded(mistake, "\n".join(source.text.split("\n")[source.offset :]))
        return TemplateSyntaxError(mistake.message, location=source.place(mistake), hint=mistake.hint)

    # running -------------------------------------------------------------------------

    def run(
        self, template: Any, values: Mapping[str, Any], limits: Limits, names: frozenset[str] = frozenset()
    ) -> Assembled:
        """Run a Jinja template on plain values and assemble what it yields; ``names`` are those that it uses."""
        token = open_account(limits)
        try:
            context = template.new_context(dict(values))
            return assemble(template.root_render_func(context))
        except Misplaced as error:
            location = error.location or self._where(error, template.name)
            raise RoleError(error.message, location=location, path=error.path, hint=error.hint) from None
        except TagError as error:
            raise self._located(error.error, error.__traceback__, values, names, error.place) from None
        except Exception as error:
            raise self._located(error, error.__traceback__, values, names) from None
        finally:
            close_account(token)

    def _where(self, error: Misplaced, name: str | None) -> Location | None:
        """Return the place of what stands where it may not."""
        if found := self._tag_at(error.place):
            return found
        source = self._sources.get(name)
        return source.find(error.text) if source and error.text else None

    def _tag_at(self, place: Place | None) -> Location | None:
        """Return the location of a tag."""
        source = self._sources.get(place.name) if place else None
        return source.place(tag_mistake("", place.tag, place.line)) if place and source else None

    def _located(
        self,
        error: Exception,
        traceback: TracebackType | None,
        values: Mapping[str, Any],
        names: frozenset[str],
        tag: Place | None = None,
    ) -> DiptychError:
        """Return the error as one of ours, with its place and the way there."""
        ours = self._translate(error, values, names)
        if not isinstance(ours, TemplateError):
            return ours
        if isinstance(error, RecursionError):
            return ours
        frames = trace(traceback, self._sources)
        places = tuple(place.location(number) for place, number in frames)
        if frames and ours.location is None:
            place = None if isinstance(ours, UndefinedInput) else self._tag_at(tag)
            ours.location, ours.chain = place or self._place(error, ours, *frames[-1]), places[:-1]
        elif ours.location and not ours.chain:  # a template that was included does not compile
            ours.chain = tuple(place for place in places if place.file != ours.location.file)
        return ours

    def _place(self, error: Exception, ours: TemplateError, source: SourceText, line: int) -> Location:
        """Return the place of an error in the line that ran."""
        if mistake := unknown_in_message(str(error), self.environment, line):
            return source.place(mistake)
        return source.location(line, quoted_word(ours.message) if isinstance(ours, UndefinedInput) else None)

    def _translate(self, error: Exception, values: Mapping[str, Any], names: frozenset[str]) -> DiptychError:
        if isinstance(error, TemplateError):
            return error
        if isinstance(error, FormatError):
            return InvalidInput(f"a history message: {error.message}", path=error.path, hint=error.hint)
        if isinstance(error, DiptychError):  # of a filter that counts tokens, for one
            return TemplateError(error.message, path=error.path, hint=error.hint)
        if isinstance(error, jinja2.UndefinedError):
            return self._undefined(error, values, names)
        if isinstance(error, jinja2.TemplateNotFound):
            return self._not_found(str(error.name))
        if isinstance(error, jinja2.TemplateRuntimeError) and (
            mistake := unknown_in_message(error.message, self.environment)
        ):
            return TemplateSyntaxError(mistake.message, hint=mistake.hint)
        if isinstance(error, RecursionError):
            return ResourceLimit("a macro, include or loop calls itself without end", hint="look for a cycle")
        if isinstance(error, MemoryError):
            return ResourceLimit("the render needs more memory than it may")
        if isinstance(error, OverflowError):
            return ResourceLimit("a number of the render is too large to compute with", hint="use smaller numbers")
        if isinstance(error, DecimalException):
            hint = "round it, or pass a smaller number"
            return TemplateError(f"a Decimal cannot be computed ({type(error).__name__})", hint=hint)
        if words := run_words(str(error)):
            return TemplateError(words[0], hint=words[1])
        return TemplateError(f"{error or type(error).__name__}")

    def _undefined(
        self, error: jinja2.UndefinedError, values: Mapping[str, Any], names: frozenset[str]
    ) -> TemplateError:
        message = str(error)
        name = quoted_word(message)
        if not name or "has no attribute" in message:
            hint = "ask first: {% if x %}" if message.startswith("'None' has") else None
            return UndefinedInput(message.replace("'None' has", "none has"), hint=hint)
        if close := closest(name, values):
            return UndefinedInput(message, hint=f"did you mean {close!r}?")
        known = sorted(names | values.keys())
        hint = f"pass {name}=…" + (f"; the inputs are {', '.join(known)}" if 1 < len(known) < 13 else "")
        return UndefinedInput(message, hint=hint)

    # hashing -------------------------------------------------------------------------

    def digest(self, compiled: Compiled, limits: Limits) -> str:
        """Return the SHA-256 of a template, of all it includes, and of the engine's version.

        A dynamic reference (``{% include name %}``) counts as itself, not as its target.
        """
        seen: dict[str, str] = {}
        self._collect(compiled, seen, limits)
        digest = hashlib.sha256(ENGINE_VERSION.encode())
        for name in sorted(seen):
            digest.update(f"\0{name}\0{len(seen[name])}\0{seen[name]}".encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def _collect(self, compiled: Compiled, seen: dict[str, str], limits: Limits) -> None:
        key = "" if not seen else compiled.name
        if key in seen:
            return
        seen[key] = compiled.text
        for name in compiled.references:
            if name is not None and name not in seen:
                try:
                    self._collect(self.load(self.find(name), limits), seen, limits)
                except TemplateNotFound:
                    seen[name] = ""

    def all_texts(self, compiled: Compiled, limits: Limits) -> list[str]:
        """Return the body of a template and of all that it includes by name."""
        seen: dict[str, str] = {}
        self._collect(compiled, seen, limits)
        return [frontmatter.split(text, compiled.file).body for text in seen.values()]

    def all_variables(self, compiled: Compiled, limits: Limits) -> frozenset[str]:
        """Return the names that a template and its static includes use."""
        names, todo, seen = set(compiled.variables), list(compiled.references), set()
        while todo:
            name = todo.pop()
            if name is None or name in seen:
                continue
            seen.add(name)
            try:
                other = self.load(self.find(name), limits)
            except TemplateNotFound:
                continue
            names |= other.variables
            todo += other.references
        return frozenset(names)


def _inherited(meta: Mapping[str, Any], parent: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**{key: value for key, value in parent.items() if key not in ("name", "version", "trim")}, **meta}
    for key in ("inputs", "params"):
        mine, theirs = meta.get(key), parent.get(key)
        if isinstance(mine, dict) and isinstance(theirs, dict) and "properties" not in {**mine, **theirs}:
            merged[key] = {**theirs, **mine}
    return merged


def run_found(engine: Engine, found: Found, values: Mapping[str, Any], limits: Limits) -> Assembled:
    """Compile a text and run it on plain values, as a worker process does. Raises TemplateError."""
    return engine.load(found, limits).run(values, limits)


def prepare_worker() -> None:
    """Make what every render in a worker process needs, and compile once, before the process forks."""
    engine = make_engine()
    engine.load(Found("", "", "{{ a }}", "{{ a }}")).run({"a": ""}, DEFAULT_LIMITS)


def make_engine(
    source: Source | None = None, filters: Any = None, globals: Any = None, media: str | os.PathLike[str] | None = None
) -> Engine:
    """Return an engine; those that have nothing of their own are one."""
    if source is None and not filters and not globals and media is None:
        return _shared_engine()
    return Engine(source, filters=filters, globals=globals, media=media)


@lru_cache(maxsize=1)
def _shared_engine() -> Engine:
    return Engine()


def _too_deep(file: str) -> ResourceLimit:
    return ResourceLimit(f"{file}: the template is nested too deeply", hint="split it with includes or macros")


def suggest_name(name: str, names: list[str]) -> str:
    """Return a did-you-mean for a template name."""
    return suggest(name.rsplit(".", 1)[0], {known.rsplit(".", 1)[0] for known in names})


class _Loader(jinja2.BaseLoader):
    """Give includes, imports and parents to Jinja, without their front matter."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def load(self, environment: Any, name: str, globals: Any = None) -> jinja2.Template:
        found = self._engine.lookup(name)
        if found is None:
            raise jinja2.TemplateNotFound(name)  # Jinja's own, for `ignore missing` and lists of names
        with trimming(self._engine.load(found, current_limits()).parts.trim):
            self._engine.called(name, found)
            return super().load(environment, name, globals)

    def get_source(self, environment: jinja2.Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        found = self._engine.lookup(template)
        if found is None:
            raise jinja2.TemplateNotFound(template)
        parts = self._engine.load(found, current_limits()).parts

        def is_fresh() -> bool:
            try:
                return bool(self._engine.find(template).stamp == found.stamp)
            except TemplateNotFound:
                return False

        return parts.body, found.file, is_fresh
