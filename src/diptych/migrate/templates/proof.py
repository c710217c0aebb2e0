"""Every migrated template is proved: it loads, it renders, and it says what its source said.

Rule: the proof asks another implementation than the one that wrote the template: Python's own
``str.format`` and ``string.Template``, or the other tool's Jinja environment. Where there is
none (Handlebars), the template is loaded and rendered, and no more is claimed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ...errors import DiptychError, RoleError
from ...templating.template import Template
from .draft import Draft
from .meaning import HISTORY

_MESSAGES: Final = ({"role": "user", "content": "earlier?"}, {"role": "assistant", "content": "earlier."})


def prove(draft: Draft) -> Template:
    """Return the loaded template of a draft.

    Raises MigrationError where it does not load, or says something else than its source.
    """
    try:
        template = Template.from_string(draft.source())
    except DiptychError as error:
        raise draft.refuse(f"the migrated template does not load: {error.message}") from None
    originals = {target: name for name, target in draft.names.items()}
    for inputs in samples(template):
        try:
            rendered = template.render(**inputs)
            # Loops that ran over nothing leave no message, and an empty prompt is none.
            is_nothing = not rendered.is_chat and not rendered.prompt.strip() and not draft.is_prompt
            said = [] if is_nothing else [(m["role"], m.get("content")) for m in rendered.messages]
            told = {**_defaults(template, draft), **inputs}
            given = {originals.get(name, name): value for name, value in told.items()}
            meant = draft.meaning(given) if draft.meaning else None
            meant = None if meant is None else _expanded(meant, inputs, draft)
        except RoleError as error:
            raise draft.refuse(f"the messages are not whole: {error.message}") from None
        except (DiptychError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError):
            continue  # a sample that one of the two cannot take proves nothing
        if meant is not None:
            _compare(meant, said, draft)
    return template


def _defaults(template: Template, draft: Draft) -> dict[str, Any]:
    """Return the defaults that the source has: those made up here stand for a name that is missing."""
    made_up = {loss.path.rpartition(".")[2] for loss in draft.losses if loss.kind == "defaulted"}
    names = {name: item for name, item in template.inputs.items() if not item.required and name not in made_up}
    return {name: item.default for name, item in names.items() if "inputs" in template.metadata}


def _compare(meant: list[tuple[str, Any]], said: list[tuple[str, Any]], draft: Draft) -> None:
    if meant == said:
        return
    meant, said = _stripped(meant), _stripped(said)
    if meant != said:
        if [turn for turn in meant if turn[1]] != [turn for turn in said if turn[1]]:
            raise draft.refuse("the migrated template does not say what its source says", hint="please report the file")
        draft.lose("$.messages", "synthesised", "a message that is blank for some inputs stays, empty")
    elif not draft.strips_data:
        draft.lose("$.messages", "trimmed", "white space at the ends of a message")


def _stripped(messages: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    return [(role, str(text).strip()) for role, text in messages]


def _expanded(meant: list[tuple[str, str]], inputs: Mapping[str, Any], draft: Draft) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for role, content in meant:
        if role == HISTORY:
            # An optional history that is not given is empty.
            found += [(m["role"], m["content"]) for m in inputs.get(draft.input_name(content), ())]
        else:
            found.append((role, content))
    return found


def samples(template: Template) -> Iterator[dict[str, Any]]:
    """Yield inputs for a template: telling ones, empty ones, and only those it must have."""
    names = template.inputs
    yield {name: sample_of(item.schema, name) for name, item in names.items()}
    yield {name: empty_of(item.schema) for name, item in names.items()}
    if any(not item.required for item in names.values()):
        yield {name: sample_of(item.schema, name) for name, item in names.items() if item.required}


def sample_of(schema: Mapping[str, Any], name: str = "x") -> Any:
    """Return a value that fits a schema and shows where it went.

    >>> sample_of({"type": "array", "items": {"type": "integer"}})
    [7, 7]
    """
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    for keyword in ("anyOf", "oneOf"):
        if schema.get(keyword):
            return sample_of(schema[keyword][0], name)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = next((one for one in kind if one != "null"), "null") if isinstance(kind, list) else kind
    if kind == "array":
        items = schema.get("items", {})
        return [dict(m) for m in _MESSAGES] if items == {"type": "object"} else [sample_of(items, name)] * 2
    if kind == "object":
        return {key: sample_of(sub, key) for key, sub in (schema.get("properties") or {}).items()}
    scalars: dict[str, Any] = {"integer": 7, "number": 2.5, "boolean": True, "null": None}
    return scalars.get(kind, f"<{name}> & 'it' {{{{x}}}}")


def empty_of(schema: Mapping[str, Any]) -> Any:
    """Return the emptiest value that fits a schema, where there is a plain one."""
    kind = schema.get("type")
    empty: dict[Any, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False, "array": [], None: ""}
    plain = (
        not isinstance(kind, list) and kind in empty and not schema.keys() - {"type", "items", "description", "title"}
    )
    return empty[kind] if plain else sample_of(schema)
