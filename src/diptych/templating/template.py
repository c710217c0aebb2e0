"""Templates and libraries: load once, render many times.

Rule: a template knows its inputs, its model and its parameters; rendering reduces
inputs to plain data, checks them, and runs the fast path where there is one.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..errors import (
    FormatError,
    InvalidInput,
    Location,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedInput,
)
from ..sandbox import DEFAULT_LIMITS, Limits, close_account, open_account
from ..views.card import Card, Table, Text
from ..views.shown import Shown
from . import assemble, events
from .assemble import Assembled
from .declared import read_response_format, read_samples, read_tools
from .engine import Compiled, Engine, make_engine, run_found
from .events import text
from .history import copy_simple_history
from .inputs import Input, Inputs, read_inputs
from .locate import SourceText
from .plain import Reducer
from .plan import Plan
from .rendered import Rendered
from .sources import Found

_DEFAULT_FORMAT: Final = "transcript"


#: What other libraries call a way to a template, and what it is here.
_ELSEWHERE: Final = {"from_file": "diptych.load(path)", "from_path": "diptych.load(path)", "load": "diptych.load(path)"}


class _Signposts(type):
    """Say what to write where the name of another library is asked for."""

    def __getattr__(cls, name: str) -> Any:
        way = f": write {_ELSEWHERE[name]}" if name in _ELSEWHERE else ""
        raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}{way}")


class Template(Shown, metaclass=_Signposts):
    """A prompt template: Jinja with optional front matter and message tags.

    >>> tpl = Template.from_string("Hello {{ name }}!", name="hello")
    >>> tpl.render(name="Ann").prompt
    'Hello Ann!'
    >>> sorted(tpl.variables)
    ['name']
    """

    __slots__ = (
        "_bound",
        "_compiled",
        "_engine",
        "_fast_defaults",
        "_fast_names",
        "_hash",
        "_here",
        "_inputs",
        "_limits",
        "_longest",
        "_meta",
        "_plan",
        "response_format",
        "tools",
    )

    def __init__(
        self,
        engine: Engine,
        compiled: Compiled = None,  # type: ignore[assignment]  # so that Template("text") can say what to write
        limits: Limits = DEFAULT_LIMITS,
        bound: Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(engine, Engine):
            hint = "write Template.from_string(text), or diptych.load(path) for a file"
            raise TemplateError("Template(…) does not take a text", hint=hint)
        self._engine = engine
        self._compiled = compiled
        self._limits = limits
        self._here = limits.here
        self._bound = dict(bound or {})
        self._meta = engine.front_matter(compiled, limits)
        self._hash: str | None = None
        self._plan = compiled.plan
        try:
            self._inputs = self._read_inputs()
            self.tools = read_tools(self._meta.get("tools"))
            self.response_format = read_response_format(self._meta.get("response_format"))
            self._check_meta()
        except TemplateError as error:
            raise self._placed(error) from None
        self._prepare_fast_path()

    @classmethod
    def from_string(
        cls,
        source: str,
        *,
        name: str = "<string>",
        filters: Mapping[str, Callable[..., Any]] | None = None,
        globals: Mapping[str, Any] | None = None,
        limits: Limits = DEFAULT_LIMITS,
        dedent: bool = False,
        media: str | os.PathLike[str] | None = None,
    ) -> Template:
        """Return the template of a source text; the same text is compiled once.

        It has no library: includes find nothing. ``limits`` caps what it may cost. ``dedent`` takes
        off the indentation that all lines share, as of a text between triple quotes. ``media`` is the
        folder of the images, audio and files that are given by their paths. Raises
        TemplateSyntaxError, and ResourceLimit for a source over its cap.

        >>> Template.from_string("{{ x }}", limits=Limits(output=5)).render(x="Hello").prompt
        'Hello'
        """
        if not isinstance(source, str) or not isinstance(name, str):
            wrong = source if not isinstance(source, str) else name
            hint = "pass the text of the template; load(path) reads a file"
            raise TemplateError(f"a template is made of text, not of {type(wrong).__name__}", hint=hint)
        if dedent:
            source = textwrap.dedent(source.removeprefix("\n"))
        engine = make_engine(None, filters, globals, media)
        return cls(engine, engine.load(Found(name, name, source, source), limits), limits)

    # what it declares ------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name in its library, without the suffix."""
        stem, dot, suffix = self._compiled.name.rpartition(".")
        return stem if dot and suffix in ("jinja", "jinja2", "j2") else self._compiled.name

    @property
    def file(self) -> str:
        """The file's name as messages show it."""
        return self._compiled.file

    @property
    def source(self) -> str:
        """The whole text of the template, front matter included."""
        return self._compiled.text

    @property
    def description(self) -> str | None:
        """What the front matter says the template is for."""
        return self._meta.get("description")

    @property
    def model(self) -> str | None:
        """The model that the front matter names."""
        return self._meta.get("model")

    @property
    def version(self) -> str | None:
        """The version that the front matter names, as text."""
        version = self._meta.get("version")
        return None if version is None else str(version)

    @property
    def params(self) -> dict[str, Any]:
        """The request parameters of the front matter."""
        return dict(self._meta.get("params") or {})

    @property
    def metadata(self) -> dict[str, Any]:
        """The whole front matter, keys of your own included."""
        return dict(self._meta)

    @property
    def text_format(self) -> str:
        """The text format in which messages become a prompt."""
        return str(self._meta.get("format") or _DEFAULT_FORMAT)

    @property
    def inputs(self) -> dict[str, Input]:
        """The declared inputs by name; the used names where none is declared."""
        return dict(self._inputs.items)

    @property
    def samples(self) -> dict[str, dict[str, Any]]:
        """The example inputs of the front matter, by name: ``sample 1`` and so on for those in a list."""
        return read_samples(self._meta.get("samples"))

    @property
    def input_schema(self) -> dict[str, Any]:
        """The JSON Schema of the inputs as one object."""
        return self._inputs.schema

    @property
    def variables(self) -> frozenset[str]:
        """The names that the body and its static includes use."""
        return self._engine.all_variables(self._compiled, self._limits)

    @property
    def hash(self) -> str:
        """SHA-256 of the template with everything it includes and its schema."""
        if self._hash is None:
            self._hash = self._engine.digest(self._compiled, self._limits)
        return self._hash

    @property
    def limits(self) -> Limits:
        """The caps on its source, its inputs and its render."""
        return self._limits

    def with_limits(self, limits: Limits) -> Template:
        """Return the template under other caps. Raises ResourceLimit for a source over its cap."""
        return Template(self._engine, self._engine.load(self._compiled.found, limits), limits, self._bound)

    def partial(self, /, **inputs: Any) -> Template:
        """Return the template with these inputs given already; a render may still give others.

        Raises InvalidInput for a name that is not declared or a value of another type.

        >>> brief = Template.from_string("{{ a }} {{ b }}").partial(a="one")
        >>> brief.render(b="two").prompt
        'one two'
        """
        reducer = Reducer(self._here)
        plain = {name: reducer.plain(value, f"$.inputs.{name}") for name, value in inputs.items()}
        return Template(self._engine, self._compiled, self._limits, {**self._bound, **plain})

    # rendering ---------------------------------------------------------------------------

    def render(self, values: Mapping[str, Any] | None = None, /, **inputs: Any) -> Rendered:
        """Render the template with these inputs, by name or in a mapping.

        >>> Template.from_string("Hi {{ name }}").render({"name": "Ann"}).prompt
        'Hi Ann'

        Raises UndefinedInput and InvalidInput for missing, unknown and wrong inputs,
        ResourceLimit over a cap, RoleError for wrong messages, and TemplateError for
        anything else that goes wrong in the template.
        """
        if values is not None:
            inputs = _named(values, inputs)
        fast = self.fast_values(inputs)
        return self._render(inputs) if fast is None else Rendered(self, self._plan, fast)

    def fast_values(self, inputs: dict[str, Any]) -> dict[str, Any] | None:
        """Return the inputs with their defaults where all are plain texts for the plan, else None."""
        names = self._fast_names
        if names is None:
            return None
        if len(inputs) != len(names):
            inputs = {**self._fast_defaults, **inputs}
        if len(inputs) != len(names):
            return None
        for name in names:
            value = inputs.get(name)
            if type(value) is not str or not value.isascii() or len(value) > self._longest:
                return None
        return inputs

    def _render(self, inputs: dict[str, Any]) -> Rendered:
        """Render the careful way: reduce, check, then the plan or Jinja."""
        plan = self._plan
        if plan is not None and plan.histories and (fast := self._with_history(inputs)):
            return fast
        reducer = Reducer(self._here)
        try:
            plain = {name: reducer.plain(value, f"$.inputs.{name}") for name, value in inputs.items()}
            values = self._check(plain)
        except TemplateError as error:
            raise self._placed(error) from None
        losses = tuple(reducer.losses)
        if plan is not None and not plan.histories and (texts := self._texts(plan, values)) is not None:
            return Rendered(self, plan, texts, None, losses)
        return Rendered(self, None, values, self._run(values), losses)

    def _check(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Return the inputs with their defaults, checked; an include that is not found explains an unknown one."""
        try:
            return self._inputs.check(plain)
        except InvalidInput as error:
            if self._inputs.declared or not self._compiled.references:
                raise self._hinted(error, plain) from None
            try:
                self._run({**self._inputs.defaults, **plain})
            except TemplateNotFound as missing:
                raise missing from None
            except TemplateError:
                pass
            raise

    def _hinted(self, error: InvalidInput, plain: Mapping[str, Any]) -> InvalidInput:
        """Say how an input is written where the text has its name in single braces."""
        name = next((n for n in plain if n not in self._inputs.items and f"{{{n}}}" in self.source), None)
        if name and not self._inputs.declared:
            error.hint = f"write {{{{ {name} }}}} for an input, not {{{name}}}"
        return error

    def _run(self, values: dict[str, Any]) -> Assembled:
        if self._limits.isolate:
            from ..sandbox.isolation import run_isolated

            return run_isolated(
                run_found, self._engine, self._compiled.found, values, self._limits.within,
                limits=self._limits, classes=(assemble, events),
            )  # fmt: skip
        return self._compiled.run(values, self._limits)

    def _texts(self, plan: Plan, values: dict[str, Any]) -> dict[str, Any] | None:
        """Return the values with the printed ones as texts, or None where Jinja must word what is wrong."""
        if not plan.names <= values.keys() or any(values[name] is None for name in plan.names):
            return None
        token = open_account(self._here)
        try:
            texts = {**values, **{name: text(values[name]) for name in plan.names}}
            return texts if plan.output(texts) <= self._here.output else None
        except TemplateError:
            return None
        finally:
            close_account(token)

    def _with_history(self, inputs: dict[str, Any]) -> Rendered | None:
        """Render a plan whose histories are plain messages, or return None."""
        plan = self._plan
        assert plan is not None
        values = {**self._inputs.defaults, **inputs}
        if values.keys() != self._inputs.items.keys() or not plan.names <= values.keys() or not self._here.depth:
            return None
        size = 0
        for name, value in values.items():
            if name in plan.histories:
                copied = copy_simple_history(value, plan.histories[name])
                if copied is None or not _accepts_messages(self._inputs.items[name].schema):
                    return None
                values[name], characters = copied
                size += characters
                continue
            if type(value) is not str or not value.isascii():
                return None
            if self._inputs.items[name].schema not in ({}, {"type": "string"}):
                return None
        return Rendered(self, plan, values) if size + plan.output(values) <= self._here.output else None

    def counter(self, model: str | None = None, *, api: str | None = None) -> Callable[..., int]:
        """Return a function of the inputs that counts tokens: ``count(tpl.render(**inputs))``.

        Static text is counted once, here. ``model`` defaults to the template's, then to the
        catalogue's default model; ``api`` is the API that the request goes to, where the model
        does not decide.
        """
        from ..catalogue import DEFAULT_MODEL
        from .counting import make_counter

        return make_counter(self, model or self.model or DEFAULT_MODEL, api)

    @property
    def engine(self) -> Engine:
        """What compiled it, and finds what it includes."""
        return self._engine

    @property
    def compiled(self) -> Compiled:
        """The parsed form of the text."""
        return self._compiled

    @property
    def plan(self) -> Any:
        """The recognised fast path of the body, or None."""
        return self._plan

    def __repr__(self) -> str:
        return f"<Template {self.name}>"

    def _card(self) -> Card:
        facts = {"description": self.description, "model": self.model, "hash": self.hash}
        rows = [(i.name, i.schema.get("type"), *_default(i), i.description) for i in self.inputs.values()]
        columns = ("input", "type", "default", "description")
        inputs = [Table("Inputs", columns, rows)] if rows else []
        return Card(self.name, facts, [*inputs, Text("Source", self.source)])

    # as a value ----------------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        """True where both have the same text, includes, caps, filters, globals, media folder and inputs given."""
        if not isinstance(other, Template):
            return NotImplemented
        mine, theirs = self._compiled, other._compiled
        return (mine.name, mine.file, mine.text, *self._settings()) == (
            theirs.name,
            theirs.file,
            theirs.text,
            *other._settings(),
        ) and (not mine.references or self.hash == other.hash)

    def _settings(self) -> tuple[Any, ...]:
        return self._limits, self._engine.extras, self._engine.media, self._bound

    def __hash__(self) -> int:
        return hash((self._compiled.name, self._compiled.text))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the text itself, and where its includes are found; filters go by their names."""
        return _unpickled, (self._engine, self._compiled.found, self._limits, self._bound)

    def __copy__(self) -> Template:
        return self

    def __deepcopy__(self, memo: Any) -> Template:
        return self  # nothing of it changes

    # preparing -----------------------------------------------------------------------------

    def _read_inputs(self) -> Inputs:
        meta = self._meta
        if "inputs" in meta:
            return read_inputs(meta["inputs"]).bound(self._bound)
        used = sorted(self.variables)
        inputs = Inputs([Input(name, {}, required=False, default=None) for name in used], declared=False)
        inputs.defaults = {}  # nothing is declared, so nothing has a default: a name not given is undefined
        return inputs.bound(self._bound)

    def _prepare_fast_path(self) -> None:
        """Decide whether strings for all inputs can go straight to the plan."""
        self._fast_names: tuple[str, ...] | None = None
        self._fast_defaults: dict[str, Any] = {}
        self._longest = 0
        plan, inputs = self._plan, self._inputs
        if plan is None or plan.histories or not plan.names <= inputs.items.keys():
            return
        if (inputs.declared and not inputs.only_strings) or plan.size > self._here.output:
            return
        #: Texts of this length cannot go over the cap on output, wherever they are printed.
        self._longest = (self._here.output - plan.size) // max(1, len(plan.slots))
        self._fast_names = tuple(inputs.items)
        self._fast_defaults = inputs.defaults

    def _check_meta(self) -> None:
        params = self._meta.get("params")
        if params is not None and not isinstance(params, dict):
            raise TemplateSyntaxError("params must be a mapping", path="$.params")
        for key in ("model", "messages", "prompt"):
            if key in (params or {}):
                hint = "write model: beside params:" if key == "model" else "the template's body makes them"
                raise TemplateSyntaxError(f"params cannot set {key!r}", path="$.params", hint=hint)
        for key in ("model", "description", "format", "name"):
            value = self._meta.get(key)
            if value is not None and not isinstance(value, str):
                raise TemplateSyntaxError(f"{key} must be text", path=f"$.{key}")
        if "format" in self._meta:
            _check_format(self.text_format)
        read_samples(self._meta.get("samples"))

    def _placed(self, error: TemplateError) -> TemplateError:
        """Give an error about a declaration or an input its place in the file."""
        if error.location is not None or not error.path:
            return error
        keys = error.path.removeprefix("$.").replace("[", ".").split(".")
        declared = keys[1] if keys[0] == "inputs" and len(keys) > 1 else keys[0]
        location = self._compiled.location(declared)
        if location.line > 1:
            error.location = location
        elif isinstance(error, UndefinedInput):
            source = SourceText(self.file, self.source)
            error.location = source.find("{{ " + declared) or Location(self.file, 1)
        else:
            # An input that is not declared: the place is where the others are.
            inputs = self._compiled.location("inputs")
            error.location = inputs if inputs.line > 1 else Location(self.file, 1)
        return error


def _check_format(name: str) -> None:
    from ..text.registry import grammar_of

    try:
        grammar_of(name)
    except FormatError as error:
        raise TemplateSyntaxError(error.message, path="$.format", hint=error.hint) from None


def _named(values: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(values, Mapping) or not all(isinstance(name, str) for name in values):
        kind = "a mapping with keys that are not names" if isinstance(values, Mapping) else type(values).__name__
        raise InvalidInput(f"inputs are given by name or in a mapping, not as {kind}", hint="write render(text=…)")
    return {**values, **inputs}


def _unpickled(engine: Engine, found: Found, limits: Limits, bound: dict[str, Any]) -> Template:
    return Template(engine, engine.load(found, limits), limits, bound)


def _accepts_messages(schema: dict[str, Any]) -> bool:
    return schema in ({}, {"type": "array"}, {"type": "array", "items": {"type": "object"}})


def _default(declared: Input) -> tuple[str]:
    return ("required" if declared.required else repr(declared.default),)
