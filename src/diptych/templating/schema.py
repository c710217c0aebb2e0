"""The types of inputs: shorthand, property map or JSON Schema in, pydantic out.

Rule: what a declaration says is enforced; a keyword that cannot be enforced is an
error when the template is loaded, never ignored.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Final, Union

from ..errors import TemplateSyntaxError
from ..suggest import suggest
from .plain import Moment, Record

#: Shorthand types and the JSON Schema each stands for.
TYPES: Final[dict[str, dict[str, Any]]] = {
    "string": {"type": "string"},
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "array": {"type": "array"},
    "list": {"type": "array"},
    "object": {"type": "object"},
    "any": {},
    "messages": {"type": "array", "items": {"type": "object"}},
    "thread": {"type": "array", "items": {"type": "object"}},
    "image": {"anyOf": [{"type": "string"}, {"type": "object"}]},
    "audio": {"type": "string"},
    "file": {"type": "string"},
}
_ANNOTATIONS = {"title", "description", "default", "examples", "$schema", "$id", "$comment", "deprecated", "format"}
_FIELD_KEYWORDS = {
    "minLength": "min_length", "maxLength": "max_length", "pattern": "pattern",
    "minimum": "ge", "maximum": "le", "exclusiveMinimum": "gt", "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of", "minItems": "min_length", "maxItems": "max_length",
}  # fmt: skip
#: The types that each keyword speaks of.
_KEYWORD_TYPES: Final = {
    **dict.fromkeys(("minLength", "maxLength", "pattern"), ("string",)),
    **dict.fromkeys(
        ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), ("integer", "number")
    ),
    **dict.fromkeys(("minItems", "maxItems"), ("array",)),
}
_OTHER = {
    "type",
    "enum",
    "const",
    "anyOf",
    "oneOf",
    "items",
    "properties",
    "required",
    "additionalProperties",
    "$ref",
    "$defs",
    "definitions",
}


def expand(type_name: str) -> dict[str, Any]:
    """Return the JSON Schema of a shorthand type: ``string``, ``integer?``, ``string[]``.

    Raises KeyError for an unknown type.

    >>> expand("string[]")
    {'type': 'array', 'items': {'type': 'string'}}
    """
    name = type_name.strip()
    if name.endswith("?"):
        return {"anyOf": [expand(name[:-1]), {"type": "null"}]}
    if name.endswith("[]"):
        return {"type": "array", "items": expand(name[:-2])}
    return dict(TYPES[name])


def is_plain_string(schema: dict[str, Any]) -> bool:
    """True where any string fits and nothing else."""
    return schema.get("type") == "string" and not set(schema) - _ANNOTATIONS - {"type"}


def takes_text(schema: Any) -> bool:
    """Return whether a text can fit: where it cannot, what a command line gives is meant as JSON.

    >>> takes_text({"type": "integer"}), takes_text({"enum": ["a"]}), takes_text({})
    (False, True, True)
    """
    if not isinstance(schema, dict):
        return True
    if "enum" in schema or "const" in schema:
        return any(isinstance(one, str) for one in (*schema.get("enum", ()), schema.get("const")))
    branches = schema.get("anyOf", schema.get("oneOf"))
    if isinstance(branches, list):
        return any(map(takes_text, branches))
    kind = schema.get("type", _implied_type(schema))
    return kind is None or "string" in (kind if isinstance(kind, list) else [kind])


#: The Python types of plain values that a type takes without a change.
_EXACT: Final[dict[Any, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float, Decimal),
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list, Record),
    "object": (dict,),
}


def is_type_alone(schema: Any) -> bool:
    """Return whether a schema is one that a shorthand type stands for: types, of items and of branches too."""
    if not isinstance(schema, dict) or set(schema) - _ANNOTATIONS - {"type", "items", "anyOf"}:
        return False
    if "anyOf" in schema:
        return "type" not in schema and isinstance(schema["anyOf"], list) and _all_alone(schema["anyOf"])
    kind = schema.get("type")
    if "items" in schema:
        return kind == "array" and is_type_alone(schema["items"])
    return kind is None or (isinstance(kind, str) and kind in _EXACT)


def _all_alone(branches: list[Any]) -> bool:
    return bool(branches) and all(map(is_type_alone, branches))


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Return whether a plain value is of a :func:`is_type_alone` schema as it stands, with nothing to convert.

    >>> fits([1, 2], {"type": "array", "items": {"type": "integer"}}), fits("1", {"type": "integer"})
    (True, False)
    """
    if "anyOf" in schema:
        return any(fits(value, branch) for branch in schema["anyOf"])
    kind = schema.get("type")
    if kind is None:
        return True
    items = schema.get("items")
    return type(value) in _EXACT[kind] and (not items or all(fits(item, items) for item in value))


class AnnotationBuilder:
    """Turn JSON Schema into annotations that pydantic enforces."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._resolving: list[str] = []

    def build(self, schema: Any, path: str) -> Any:
        """Return the annotation of a schema. Raises TemplateSyntaxError with the path."""
        try:
            return self._build(schema, path)
        except TemplateSyntaxError:
            raise
        except Exception as error:  # a keyword's value of the wrong shape, met wherever it is used
            raise TemplateSyntaxError(f"the schema is not valid: {error}", path=path) from None

    def _build(self, schema: Any, path: str) -> Any:
        if schema is True or schema == {}:
            return Any
        if not isinstance(schema, dict):
            raise TemplateSyntaxError("a schema must be a mapping", path=path)
        if unknown := set(schema) - _ANNOTATIONS - _OTHER - set(_FIELD_KEYWORDS):
            raise TemplateSyntaxError(
                f"the schema keyword {sorted(unknown)[0]!r} is not enforced here",
                path=path,
                hint="take it out, or check the value in your own code",
            )
        if "$ref" in schema:
            return self._reference(schema["$ref"], path)
        if "enum" in schema:
            if not isinstance(schema["enum"], list) or not schema["enum"]:
                raise TemplateSyntaxError("enum must be a list of values", path=f"{path}.enum")
            return _one_of(schema["enum"])
        if "const" in schema:
            return _one_of([schema["const"]])
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                if not isinstance(schema[keyword], list) or not schema[keyword]:
                    raise TemplateSyntaxError(f"{keyword} must be a list of schemas", path=f"{path}.{keyword}")
                branches = [self.build(s, f"{path}.{keyword}[{i}]") for i, s in enumerate(schema[keyword])]
                return Union[tuple(branches)]
        return self._typed(schema, path)

    def _typed(self, schema: dict[str, Any], path: str) -> Any:
        kind = schema.get("type", _implied_type(schema))
        if isinstance(kind, list) and kind:
            shared = {key: value for key, value in schema.items() if key not in _FIELD_KEYWORDS}
            own = {key: value for key, value in schema.items() if key in _FIELD_KEYWORDS}
            _check_keywords(own, kind, path)
            return Union[tuple(self._typed({**shared, **_fitting(own, one), "type": one}, path) for one in kind)]
        if not isinstance(kind, str | None):
            raise TemplateSyntaxError(f"a type is a name or a list of names, not {kind!r:.40}", path=f"{path}.type")
        _check_keywords(schema, [kind], path)
        if kind == "array":
            base: Any = list[self.build(schema.get("items", {}), f"{path}.items")]  # type: ignore[misc]
        elif kind == "object":
            base = self._object(schema, path)
        elif kind is None:
            base = Any
        elif kind in _EXACT:
            base = _scalar(kind)
        else:
            raise TemplateSyntaxError(f"{kind!r} is not a type", path=f"{path}.type", hint=suggest(str(kind), TYPES))
        return self._constrained(base, schema)

    def _constrained(self, base: Any, schema: dict[str, Any]) -> Any:
        found = {_FIELD_KEYWORDS[key]: schema[key] for key in schema if key in _FIELD_KEYWORDS}
        if not found:
            return base
        from pydantic import Field

        return Annotated[base, Field(**found)]

    def _object(self, schema: dict[str, Any], path: str) -> Any:
        extra = schema.get("additionalProperties", True)
        if not schema.get("properties"):
            # Keys that were numbers stay numbers.
            return dict[Any, Any] if extra is True else dict[Any, self.build(extra, path)]  # type: ignore[misc]
        from pydantic import ConfigDict, create_model

        required = set(schema.get("required", ()))
        fields: dict[str, Any] = {
            name: (self.build(sub, f"{path}.properties.{name}"), ... if name in required else None)
            for name, sub in schema["properties"].items()
        }
        return create_model("Object", __config__=ConfigDict(extra="forbid" if extra is False else "allow"), **fields)

    def _reference(self, reference: str, path: str) -> Any:
        if reference in self._resolving:
            raise TemplateSyntaxError(f"{reference} refers to itself", path=path)
        target: Any = self._root
        for step in reference.removeprefix("#/").split("/"):
            if not isinstance(target, dict) or step not in target:
                raise TemplateSyntaxError(f"{reference!r} is not in this schema", path=path)
            target = target[step]
        self._resolving.append(reference)
        try:
            return self.build(target, path)
        finally:
            self._resolving.pop()


@lru_cache(maxsize=8)
def _scalar(kind: str) -> Any:
    """Return the annotation of a simple type: a value is of it as it stands, or it is refused.

    Pydantic's own types convert (``True`` to 1, ``"off"`` to false), which JSON Schema does not.
    """
    from pydantic import PlainValidator
    from pydantic_core import PydanticCustomError

    types = (*_EXACT[kind], Moment) if kind == "string" else _EXACT[kind]
    wanted = {"null": "null", "string": "a valid string"}.get(kind) or f"a valid {kind}"

    def check(value: Any) -> Any:
        whole = kind == "integer" and type(value) in (float, Decimal) and value == value // 1
        if type(value) not in types and not whole:
            raise PydanticCustomError("of_type", f"Input should be {wanted}")
        return int(value) if whole else value

    return Annotated[Any, PlainValidator(check)]


def _one_of(values: list[Any]) -> Any:
    """Return the annotation of fixed values; ``True`` is not 1 and 1 is not ``"1"``."""
    from pydantic import PlainValidator
    from pydantic_core import PydanticCustomError

    shown = " or ".join(map(repr, values))

    def check(value: Any) -> Any:
        if not any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in values):
            raise PydanticCustomError("one_of", f"Input should be {shown}".replace("{", "{{").replace("}", "}}"))
        return value

    return Annotated[Any, PlainValidator(check)]


def _check_pattern(pattern: str, path: str) -> None:
    """Raise TemplateSyntaxError for a pattern that pydantic cannot enforce."""
    from pydantic_core import SchemaError, SchemaValidator, core_schema

    try:
        SchemaValidator(core_schema.str_schema(pattern=pattern))
    except SchemaError:
        hint = "write it without look-around and back-references, or check the value in your own code"
        raise TemplateSyntaxError(f"the pattern {pattern!r:.40} cannot be used", path=path, hint=hint) from None


def _implied_type(schema: dict[str, Any]) -> str | None:
    """Return the type that a schema without one speaks of, or None."""
    if "properties" in schema:
        return "object"
    return next((types[-1] for key, types in _KEYWORD_TYPES.items() if key in schema), None)


def _fitting(keywords: dict[str, Any], kind: Any) -> dict[str, Any]:
    """Return the keywords that speak of a type."""
    return {key: value for key, value in keywords.items() if kind in _KEYWORD_TYPES[key]}


def _check_keywords(schema: dict[str, Any], kinds: list[Any], path: str) -> None:
    """Raise TemplateSyntaxError for a keyword that no type of these has, or whose value is of the wrong kind."""
    for key in schema.keys() & _FIELD_KEYWORDS.keys():
        types, value = _KEYWORD_TYPES[key], schema[key]
        wanted: Any = str if key == "pattern" else (int, float) if "number" in types else int
        if not set(types) & {kind for kind in kinds if isinstance(kind, str)}:
            raise TemplateSyntaxError(f"{key} needs the type {types[0]}", path=path, hint=f"write type: {types[0]}")
        if isinstance(value, bool) or not isinstance(value, wanted) or (wanted is int and value < 0):
            raise TemplateSyntaxError(f"{key} cannot be {value!r:.40}", path=f"{path}.{key}")
        if key == "pattern":
            _check_pattern(value, f"{path}.{key}")
        if key == "multipleOf" and value <= 0:
            raise TemplateSyntaxError("multipleOf must be above 0", path=f"{path}.{key}")
