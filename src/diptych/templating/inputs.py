"""Declared inputs: what a template takes, and the check of what it is given.

Rule: unknown and missing inputs are errors with a did-you-mean; types are enforced
by pydantic, which is only loaded where a schema holds more than types, or a value is
not of its type as it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..errors import InvalidInput, TemplateSyntaxError, UndefinedInput
from ..jsonpath import problems
from ..suggest import closest, suggest
from .schema import TYPES, AnnotationBuilder, expand, fits, is_plain_string, is_type_alone

_SCHEMA_HOME = ("$defs", "definitions")


@dataclass(frozen=True, slots=True)
class Input:
    """One declared input: its JSON Schema, and its default where it has one."""

    name: str
    schema: dict[str, Any]
    required: bool = True
    default: Any = None
    description: str | None = None


class Inputs:
    """The declared inputs of one template, in order; ``declared`` is False for none."""

    def __init__(
        self, inputs: Iterable[Input], *, declared: bool, root: dict[str, Any] | None = None, checks: bool = True
    ) -> None:
        self.items = {item.name: item for item in inputs}
        self.declared = declared
        self._root = root or {}
        self._validator: Any = None
        self.only_strings = all(is_plain_string(item.schema) for item in self.items.values())
        self.defaults = {i.name: i.default for i in self.items.values() if not i.required}
        self._only_types = all(is_type_alone(item.schema) for item in self.items.values())
        if not self._only_types:
            self._annotations = self._build_annotations()  # says what is wrong with a schema
        if checks:
            self._check_defaults()

    def _build_annotations(self) -> dict[str, Any]:
        builder = AnnotationBuilder(self._root)
        return {name: builder.build(item.schema, f"$.inputs.{name}") for name, item in self.items.items()}

    def _check_defaults(self) -> None:
        for name, default in self.defaults.items():
            if default is None:
                continue  # an input that may be left out is None then
            schema = self.items[name].schema
            if is_type_alone(schema) and fits(default, schema):
                continue
            try:
                self._checked({name: default})
            except InvalidInput as error:
                said = error.message.removeprefix(f"input {name!r}: ")
                raise TemplateSyntaxError(f"the default of {name!r}: {said}", path=f"$.inputs.{name}") from None

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the inputs as one object."""
        properties = {}
        for name, item in self.items.items():
            properties[name] = dict(item.schema)
            if item.description:
                properties[name]["description"] = item.description
            if not item.required and item.default is not None:
                properties[name]["default"] = item.default
        schema: dict[str, Any] = {"type": "object", "properties": properties}
        if required := [name for name, item in self.items.items() if item.required]:
            schema["required"] = required
        schema["additionalProperties"] = False
        return schema | {key: self._root[key] for key in _SCHEMA_HOME if key in self._root}

    def bound(self, values: Mapping[str, Any]) -> Inputs:
        """Return the inputs with these given already: they become defaults. Raises InvalidInput."""
        if not values:
            return self
        self.check_names(values)
        given = {name: replace(self.items[name], required=False, default=value) for name, value in values.items()}
        found = Inputs({**self.items, **given}.values(), declared=self.declared, root=self._root, checks=False)
        found.defaults = {**self.defaults, **(found._checked(values) if self.declared else values)}
        return found

    def _checked(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return self._check_strings(dict(values), values) if self.only_strings else self._validate(dict(values))

    def check(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the given plain values with defaults, checked against their types.

        Raises InvalidInput and UndefinedInput.
        """
        self.check_names(given)
        if not self.declared:
            return {**self.defaults, **given}
        if missing := [name for name, item in self.items.items() if name not in given and item.required]:
            raise UndefinedInput(
                f"the input {missing[0]!r} is missing"
                if len(missing) == 1
                else f"the inputs {', '.join(map(repr, missing))} are missing",
                path=f"$.inputs.{missing[0]}",
                hint=self._missing_hint(missing[0], given) if len(missing) == 1 else f"pass {'=…, '.join(missing)}=…",
            )
        values = {**self.defaults, **given}
        if self.only_strings:
            return self._check_strings(values, given)
        return {**values, **self._validate({name: values[name] for name in given})}

    def check_names(self, given: Mapping[str, Any]) -> None:
        """Raise InvalidInput for a name that is not declared."""
        unknown = [name for name in given if name not in self.items]
        if unknown:
            shown = ", ".join(map(repr, unknown[:5])) + (f" and {len(unknown) - 5} more" if len(unknown) > 5 else "")
            raise InvalidInput(
                f"there is no input {shown}",
                path=f"$.inputs.{unknown[0]}",
                hint=suggest_input(unknown[0], self.items),
            )

    def _missing_hint(self, name: str, given: Mapping[str, Any]) -> str:
        unknown = [key for key in given if key not in self.items]
        close = closest(name, unknown)
        return f"you gave {close!r}: did you mean {name!r}?" if close else f"pass {name}=…"

    def _check_strings(self, values: dict[str, Any], given: Iterable[str]) -> dict[str, Any]:
        wrong = [
            (f"$.inputs.{name}", f"a string is wanted, not {_kind(values[name])}")
            for name in given
            if not isinstance(values[name], str)
        ]
        if wrong:
            raise _invalid(wrong)
        return values

    def _validate(self, values: dict[str, Any]) -> dict[str, Any]:
        # Pydantic would return these as they are, but it costs a command more than its render.
        if self._only_types and all(fits(value, self.items[name].schema) for name, value in values.items()):
            return values
        from pydantic import BaseModel, ValidationError

        if self._validator is None:
            annotations = self._build_annotations() if self._only_types else self._annotations
            self._validator = {name: _adapter(name, hint) for name, hint in annotations.items()}
        checked: dict[str, Any] = {}
        wrong: list[tuple[str, str]] = []
        for name, value in values.items():
            try:
                checked[name] = _plain(self._validator[name].validate_python(value), BaseModel)
            except ValidationError as error:
                wrong += [(path, _words(said)) for path, said in problems(error, value, f"$.inputs.{name}")]
        if wrong:
            raise _invalid(wrong)
        return checked


def _words(said: str) -> str:
    """Return what pydantic says in the words of JSON Schema."""
    return said.replace("a valid list", "an array").replace("a valid dictionary", "an object")


def _invalid(wrong: list[tuple[str, str]]) -> InvalidInput:
    """Return the error about everything that is wrong with the inputs."""
    said = [f"{path.removeprefix('$.inputs.')!r}: {message}" for path, message in wrong]
    shown = "; ".join(said[:5]) + (f"; and {len(said) - 5} more" if len(said) > 5 else "")
    return InvalidInput(f"input{'s' if len(said) > 1 else ''} {shown}", path=wrong[0][0])


def _adapter(name: str, annotation: Any) -> Any:
    from pydantic import TypeAdapter

    try:
        return TypeAdapter(annotation)
    except Exception as error:  # whatever pydantic cannot make a validator of
        raise TemplateSyntaxError(f"the schema is not valid: {error}", path=f"$.inputs.{name}") from None


def _plain(value: Any, model: type[Any]) -> Any:
    """Return validated values as plain data again: models of objects become dicts."""
    if isinstance(value, model):
        return value.model_dump(exclude_unset=True)
    if type(value) is list:
        return [_plain(item, model) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item, model) for key, item in value.items()}
    return value


def _kind(value: Any) -> str:
    names = {int: "an integer", float: "a number", bool: "a boolean", list: "an array", dict: "an object"}
    return "null" if value is None else names.get(type(value), type(value).__name__)


def suggest_input(name: str, known: Iterable[str]) -> str:
    """Return the hint for an unknown input."""
    names = list(known)
    return suggest(name, names) if names else "the template takes no inputs"


# reading the declaration -----------------------------------------------------------------


def read_inputs(declaration: Any) -> Inputs:
    """Read the ``inputs`` of a front matter in any of its three forms, or as a list.

    Raises TemplateSyntaxError with a path such as ``$.inputs.text``.
    """
    if declaration is None:
        return Inputs((), declared=True)
    if isinstance(declaration, list):
        return Inputs([_from_property(item, index) for index, item in enumerate(declaration)], declared=True)
    if not isinstance(declaration, dict):
        raise TemplateSyntaxError("inputs must be a mapping of names to types", path="$.inputs")
    if declaration.get("type") == "object" and isinstance(declaration.get("properties"), dict):
        return _from_json_schema(declaration)
    return Inputs([_from_entry(name, value) for name, value in declaration.items()], declared=True)


def _from_json_schema(schema: dict[str, Any]) -> Inputs:
    required = set(schema.get("required", ()))
    inputs = []
    for name, sub in schema["properties"].items():
        one = sub if isinstance(sub, dict) else {}
        bare = {key: value for key, value in one.items() if key not in ("default", "description")}
        inputs.append(
            Input(name, bare, name in required and "default" not in one, one.get("default"), one.get("description"))
        )
    return Inputs(inputs, declared=True, root=schema)


def _from_entry(name: str, value: Any) -> Input:
    path = f"$.inputs.{name}"
    if value is None:
        return Input(name, {})
    if isinstance(value, str):
        return Input(name, _expand(value, path), not value.strip().endswith("?"))
    if not isinstance(value, dict):
        raise TemplateSyntaxError(
            f"{name!r} needs a type, not {value!r}", path=path, hint="write `text: string`, or a mapping with `type:`"
        )
    return _from_map(name, value, path)


def _from_map(name: str, value: dict[str, Any], path: str) -> Input:
    schema = {key: item for key, item in value.items() if key not in ("default", "description", "required", "kind")}
    kind = value.get("type", value.get("kind"))
    optional = "default" in value or value.get("required") is False
    if isinstance(kind, str):
        schema = {**_expand(kind, path), **{key: item for key, item in schema.items() if key != "type"}}
        optional = optional or kind.strip().endswith("?")
    if isinstance(value.get("required"), list):  # JSON Schema of an object input
        schema["required"] = value["required"]
    default = value.get("default")
    return Input(name, schema, not optional, default, value.get("description"))


def _from_property(value: Any, index: int) -> Input:
    path = f"$.inputs[{index}]"
    if isinstance(value, str):
        return Input(value, {})
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise TemplateSyntaxError("an input in a list needs a name", path=path)
    return _from_map(value["name"], {key: item for key, item in value.items() if key != "name"}, path)


def _expand(kind: str, path: str) -> dict[str, Any]:
    try:
        return {} if kind == "null" else expand(kind)
    except KeyError:
        raise TemplateSyntaxError(f"{kind!r} is not a type", path=path, hint=suggest(kind, TYPES)) from None
