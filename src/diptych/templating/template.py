"""Templates and libraries: load once, render many times.

Rule: a template knows its inputs, its model and its parameters; rendering reduces
inputs to plain data, checks them, and runs the fast path where there is one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from ..errors import Location, TemplateError, TemplateNotFound, TemplateSyntaxError, UndefinedInput
from ..loss import Loss
from ..model import FrozenMap, ResponseFormat, ToolSpec
from ..sandbox import DEFAULT_LIMITS, Limits
from ..sandbox.limits import check_size
from . import Compiled, Engine, FolderSource, Found, Input, Inputs, Reducer, make_source, read_inputs
from .history import copy_simple_history
from .locate import SourceText
from .rendered import Api, Rendered

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

#: Longer inputs take the checked path: they may go over the cap on output.
_LARGE: Final = 1_000_000
_DEFAULT_FORMAT: Final = "transcript"


class Template:
    """A prompt template: Jinja with optional front matter and message tags.

    >>> tpl = Template.from_string("Hello {{ name }}!", name="hello")
    >>> tpl.render(name="Ann").prompt
    'Hello Ann!'
    >>> sorted(tpl.variables)
    ['name']
    """

    __slots__ = (
        "_compiled",
        "_engine",
        "_fast_defaults",
        "_fast_names",
        "_hash",
        "_inputs",
        "_limits",
        "_plan",
        "response_format",
        "tools",
    )

    def __init__(self, engine: Engine, compiled: Compiled, limits: Limits = DEFAULT_LIMITS) -> None:
        self._engine = engine
        self._compiled = compiled
        self._limits = limits
        self._hash: str | None = None
        self._plan = compiled.plan
        try:
            self._inputs = self._read_inputs()
            self.tools = _read_tools(compiled.meta.get("tools"))
            self.response_format = _read_response_format(compiled.meta.get("response_format"))
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
    ) -> Template:
        """Return the template of a source text; the same text is compiled once.

        It has no library: includes find nothing. Raises TemplateSyntaxError.
        """
        engine = _shared_engine() if not filters and not globals else Engine(filters=filters, globals=globals)
        return cls(engine, engine.load(Found(name, name, source, source)), limits)

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
        return self._compiled.meta.get("description")

    @property
    def model(self) -> str | None:
        """The model that the front matter names."""
        return self._compiled.meta.get("model")

    @property
    def params(self) -> dict[str, Any]:
        """The request parameters of the front matter."""
        return dict(self._compiled.meta.get("params") or {})

    @property
    def metadata(self) -> dict[str, Any]:
        """The whole front matter, keys of your own included."""
        return dict(self._compiled.meta)

    @property
    def text_format(self) -> str:
        """The text format in which messages become a prompt."""
        return str(self._compiled.meta.get("format") or _DEFAULT_FORMAT)

    @property
    def inputs(self) -> dict[str, Input]:
        """The declared inputs by name; the used names where none is declared."""
        return dict(self._inputs.items)

    @property
    def input_schema(self) -> dict[str, Any]:
        """The JSON Schema of the inputs as one object."""
        return self._inputs.schema

    @property
    def variables(self) -> frozenset[str]:
        """The names that the body and its static includes use."""
        return self._engine.all_variables(self._compiled)

    @property
    def hash(self) -> str:
        """SHA-256 of the template with everything it includes and its schema."""
        if self._hash is None:
            self._hash = self._engine.digest(self._compiled)
        return self._hash

    def params_for(self, api: Api) -> dict[str, Any]:
        """Return the front matter's parameters, the output cap named as the API names it."""
        params = self.params
        if api == "completions" and "max_completion_tokens" in params:
            params.setdefault("max_tokens", params.pop("max_completion_tokens"))
        return params

    # rendering ---------------------------------------------------------------------------

    def render(self, /, **inputs: Any) -> Rendered:
        """Render the template with these inputs.

        Raises UndefinedInput and InvalidInput for missing, unknown and wrong inputs,
        ResourceLimit over a cap, RoleError for wrong messages, and TemplateError for
        anything else that goes wrong in the template.
        """
        values = self.fast_values(inputs)
        return self._render(inputs) if values is None else Rendered(self, self._plan, values)

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
            if type(value) is not str or not value.isascii() or len(value) > _LARGE:
                return None
        return inputs

    def _render(self, inputs: dict[str, Any]) -> Rendered:
        """Render the careful way: reduce, check, then the plan or Jinja."""
        plan = self._plan
        if plan is not None and plan.histories and (fast := self._with_history(inputs)):
            return fast
        reducer = Reducer()
        try:
            plain = {name: reducer.reduce(value, f"$.inputs.{name}") for name, value in inputs.items()}
            values = self._inputs.check(plain)
        except TemplateError as error:
            raise self._placed(error) from None
        losses = tuple(reducer.losses)
        if plan is not None and not plan.histories and plan.names <= values.keys():
            if sum(len(v) for v in values.values() if isinstance(v, str)) < _LARGE:
                return self._planned(values, losses)
        return Rendered(self, None, values, self._compiled.run(values, self._limits), losses)

    def _planned(self, values: dict[str, Any], losses: tuple[Loss, ...]) -> Rendered:
        rendered = Rendered(self, self._plan, values, None, losses)
        if not self._inputs.only_strings or not self._inputs.declared:
            # Values that are not text yet can be large or unprintable: find out now.
            check_size(len(rendered.prompt) if not rendered.is_chat else len(str(rendered.messages)))
        return rendered

    def _with_history(self, inputs: dict[str, Any]) -> Rendered | None:
        """Render a plan whose histories are plain messages, or return None."""
        plan = self._plan
        assert plan is not None
        values = {**self._inputs.defaults, **inputs}
        if values.keys() != self._inputs.items.keys() or not plan.names <= values.keys():
            return None
        for name, value in values.items():
            if name in plan.histories:
                copied = copy_simple_history(value)
                if copied is None or not _accepts_messages(self._inputs.items[name].schema):
                    return None
                values[name] = copied
                continue
            if type(value) is not str or not value.isascii() or len(value) > _LARGE:
                return None
            if self._inputs.items[name].schema not in ({}, {"type": "string"}):
                return None
        return Rendered(self, plan, values)

    def counter(self, model: str | None = None) -> Callable[..., int]:
        """Return a function of the inputs that counts tokens: ``count(tpl.render(**inputs))``.

        Static text is counted once, here. ``model`` defaults to the template's, then to the
        catalogue's default model.
        """
        from ..catalogue import DEFAULT_MODEL
        from .counting import make_counter

        return make_counter(self, model or self.model or DEFAULT_MODEL)

    @property
    def plan(self) -> Any:
        """The recognised fast path of the body, or None."""
        return self._plan

    def __repr__(self) -> str:
        return f"<Template {self.name}>"

    # preparing -----------------------------------------------------------------------------

    def _read_inputs(self) -> Inputs:
        meta = self._compiled.meta
        if "inputs" in meta:
            return read_inputs(meta["inputs"])
        used = sorted(self._engine.all_variables(self._compiled))
        return Inputs([Input(name, {}, required=False, default=None) for name in used], declared=False)

    def _prepare_fast_path(self) -> None:
        """Decide whether strings for all inputs can go straight to the plan."""
        self._fast_names: tuple[str, ...] | None = None
        self._fast_defaults: dict[str, Any] = {}
        if not self._inputs.declared:
            # Nothing is declared, so nothing has a default: a name not given is undefined.
            self._inputs.defaults = {}
        plan, inputs = self._plan, self._inputs
        if plan is None or plan.histories or not plan.names <= inputs.items.keys():
            return
        if inputs.declared and not inputs.only_strings:
            return
        self._fast_names = tuple(inputs.items)
        self._fast_defaults = inputs.defaults

    def _check_meta(self) -> None:
        params = self._compiled.meta.get("params")
        if params is not None and not isinstance(params, dict):
            raise TemplateSyntaxError("params must be a mapping", path="$.params")
        for key in ("model", "messages", "prompt"):
            if key in (params or {}):
                hint = "write model: beside params:" if key == "model" else "the template's body makes them"
                raise TemplateSyntaxError(f"params cannot set {key!r}", path="$.params", hint=hint)
        for key in ("model", "description", "format", "name"):
            value = self._compiled.meta.get(key)
            if value is not None and not isinstance(value, str):
                raise TemplateSyntaxError(f"{key} must be text", path=f"$.{key}")

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


def _accepts_messages(schema: dict[str, Any]) -> bool:
    return schema in ({}, {"type": "array"}, {"type": "array", "items": {"type": "object"}})


def _shared_engine() -> Engine:
    global _engine
    if _engine is None:
        _engine = Engine()
    return _engine


_engine: Engine | None = None


class Library:
    """Templates by name, from folders, packages (``"package:folder"``) or mappings.

    A root can also be a module or an ``importlib.resources`` folder. Several roots are
    searched in order. Names never leave their root. Raises TemplateNotFound for a folder
    or package that does not exist; no package is imported.

    >>> lib = Library({"greet": "Hello {{ name }}!"})
    >>> lib["greet"].render(name="Ann").prompt
    'Hello Ann!'
    """

    def __init__(
        self,
        *roots: str | os.PathLike[str] | Mapping[str, str] | ModuleType | Traversable | list[Any] | tuple[Any, ...],
        filters: Mapping[str, Callable[..., Any]] | None = None,
        globals: Mapping[str, Any] | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        flat = [item for root in roots for item in (root if isinstance(root, list | tuple) else [root])]
        self._sources = [make_source(root) for root in flat]
        self._engine = Engine(self, filters=filters, globals=globals)
        self._limits = limits
        self._templates: dict[tuple[str, str], Template] = {}

    def find(self, name: str) -> Found | None:
        """Return the first template of exactly that name among the roots."""
        return next((found for source in self._sources if (found := source.find(name))), None)

    def names(self) -> Iterator[str]:
        """Yield the name of every template, each once."""
        yield from dict.fromkeys(name for source in self._sources for name in source.names())

    def __getitem__(self, name: str) -> Template:
        found = self._engine.find(name)
        key = (found.name, found.text)
        template = self._templates.get(key)
        if template is None:
            template = self._templates[key] = Template(self._engine, self._engine.load(found), self._limits)
        return template

    def __contains__(self, name: object) -> bool:
        try:
            self._engine.find(name)  # type: ignore[arg-type]
        except TemplateNotFound:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return self.names()

    def __len__(self) -> int:
        return sum(1 for _ in self.names())

    def filter(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Register a function as a filter under its own name; usable as a decorator."""
        self._engine.add_filter(function.__name__, function)
        self._templates.clear()
        return function


def load(path: str | os.PathLike[str], **options: Any) -> Template:
    """Load one template file; its folder is the library of its includes.

    Raises TemplateNotFound and TemplateSyntaxError.
    """
    file = Path(path)
    if not file.is_file():
        raise TemplateNotFound(f"there is no file {os.fspath(path)!r}")
    parent = file.parent
    shown = parent.as_posix() if parent != Path(".") else None
    engine = Engine(FolderSource(parent, shown), **{k: v for k, v in options.items() if k != "limits"})
    found = FolderSource(parent, shown).find(file.name)
    if found is None:
        raise TemplateNotFound(f"{os.fspath(path)!r} cannot be read")
    return Template(engine, engine.load(found), options.get("limits", DEFAULT_LIMITS))


# front matter values ---------------------------------------------------------------------


def _read_tools(value: Any) -> tuple[ToolSpec, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise TemplateSyntaxError("tools must be a list", path="$.tools")
    tools = []
    for index, item in enumerate(value):
        tool = item.get("function", item) if isinstance(item, dict) else None
        if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
            raise TemplateSyntaxError("a tool needs a name", path=f"$.tools[{index}]")
        parameters = tool.get("parameters")
        if parameters is not None and not isinstance(parameters, dict):
            raise TemplateSyntaxError("a tool's parameters are a JSON Schema", path=f"$.tools[{index}].parameters")
        tools.append(
            ToolSpec(
                tool["name"],
                tool.get("description"),
                None if parameters is None else FrozenMap(parameters),
                tool.get("strict"),
            )
        )
    return tuple(tools)


def _read_response_format(value: Any) -> ResponseFormat | None:
    if value is None:
        return None
    if value in ("text", "json_object"):
        return ResponseFormat(value)
    if not isinstance(value, dict):
        raise TemplateSyntaxError("response_format is text, json_object or a JSON Schema", path="$.response_format")
    if value.get("type") == "json_schema" and isinstance(value.get("json_schema"), dict):
        value = value["json_schema"]
    if isinstance(value.get("schema"), dict):
        return ResponseFormat(
            "json_schema",
            value.get("name", "reply"),
            FrozenMap(value["schema"]),
            value.get("strict"),
            value.get("description"),
        )
    return ResponseFormat("json_schema", value.get("title", "reply"), FrozenMap(value), None)
