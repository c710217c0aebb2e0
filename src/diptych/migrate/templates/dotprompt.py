"""dotprompt (2025): front matter, picoschema, a body in Handlebars.

Rule: the body's tags are :mod:`.handlebars`' business, its schemas :mod:`.picoschema`'s; what
runs where the file runs (tool names, extensions) is not guessed at.

==============================  ===========================================================
``model: provider/name``        ``model``, without its provider
``config``                      ``params``; what Chat has not (``topK``) is lost
``input.schema``                ``inputs``; an optional one gets a default that prints nothing
``input.default``               defaults
``output.schema``               ``response_format``, a JSON Schema
``output.format: json``         ``response_format: json_object``
a schema by its name            lost: it is registered by code; of an output ``json_object`` stays
partials                        taken in, where their files ``_name.prompt`` are given
``tools``                       lost: they are names; ``toolDefs`` of functions are kept
``ext``, ``variant``, other     lost; ``name.variant.prompt`` keeps both in its file name
text before a role              a user message; behind ``{{history}}``: an assistant message
line breaks around a message    layout: lost, and said so
==============================  ===========================================================

Source: the parsers of the project's own repository and its shared test files, as rules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ...errors import MigrationError
from ...text.marks import place_of
from .draft import Draft, kind_of
from .handlebars import write_handlebars
from .model import Layout, Source
from .picoschema import to_json_schema
from .reading import split_front

#: A block of Jinja, which other tools write into files of this name.
_JINJA: Final = re.compile(r"\{%[-+]?\s*(?:if|for|set|macro|block|include|extends)\b[^{}]*%\}")
_KNOWN: Final = ("name", "description", "model", "config", "input", "output", "toolDefs", "tools")


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a dotprompt file. Raises MigrationError."""
    meta, body = split_front(source.text, source.filename)
    line = source.text.count("\n", 0, len(source.text) - len(body)) + 1
    line += len(body[: len(body) - len(body.lstrip())].splitlines()) if meta else 0
    draft.text_field("description", meta.get("description"))
    _read_model(meta, draft)
    draft.params(meta.get("config"), "$.config")
    schema = _read_input(meta.get("input"), draft)
    _read_output(meta.get("output"), draft)
    for name in ("tools", "toolDefs"):
        if meta.get(name) is not None:
            _read_tools(meta[name], f"$.{name}", draft)
    draft.drop(meta, _KNOWN)
    # With front matter the specification trims the body, without it does not.
    body = body.strip() if meta else body
    if found := _JINJA.search(body):
        place = place_of(source.text, source.text.find(found.group()))
        draft.doubt(f"{found.group()[:40]} at {place} is a tag of Jinja, which dotprompt takes for text")
    write_handlebars(body, draft, schema, line)


def _read_model(meta: Mapping[str, Any], draft: Draft) -> None:
    model = meta.get("model")
    if isinstance(model, str) and model:
        draft.meta["model"] = model.rpartition("/")[2] or model
        if "/" in model:
            draft.lose("$.model", "renamed", f"{model} without its provider")


def _schema(value: Any, path: str, draft: Draft) -> dict[str, Any]:
    def named(name: str) -> dict[str, Any]:
        draft.lose(path, "schema-dropped", f"{name} is the name of a schema that code registers")
        return {}

    try:
        return to_json_schema(value, named) if value else {}
    except MigrationError as error:
        raise draft.refuse(error.message, path) from None


def _read_input(given: Any, draft: Draft) -> dict[str, Any]:
    """Declare the inputs and return their schema as the body's tags need it."""
    given = given if isinstance(given, Mapping) else {}
    draft.drop(given, ("schema", "default"), "$.input")
    schema = _schema(given.get("schema"), "$.input.schema", draft)
    defaults = given["default"] if isinstance(given.get("default"), Mapping) else {}
    properties = schema["properties"] if isinstance(schema.get("properties"), Mapping) else {}
    known: dict[str, Any] = {}
    for name in {**properties, **defaults}:
        facts = properties[name] if isinstance(properties.get(name), Mapping) else kind_of(defaults.get(name))
        is_needed = name in (schema.get("required") or ()) and name not in defaults
        default = {"default": defaults[name]} if name in defaults else {} if is_needed else _empty(facts)
        if default and name not in defaults:
            draft.lose(f"$.input.schema.{name}", "defaulted", "what is not given prints nothing and is false")
        draft.add_input(name, facts, path="$.input.schema", description=facts.get("description"), **default)
        may_be_null = "default" in default and default["default"] is None
        known[name] = {**facts, "x-null": True} if may_be_null else facts
    if schema.get("additionalProperties") not in (None, False):
        draft.lose("$.input.schema.(*)", "field-dropped", "inputs have names")
    return {**schema, "properties": known} if known else {}


def _empty(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the default of an optional input: false in a test, nothing in a text."""
    kinds = facts.get("type")
    kind = next((one for one in kinds if one != "null"), None) if isinstance(kinds, list) else kinds
    return {"default": {"string": "", "array": []}.get(str(kind)) if "enum" not in facts else None}


def _read_output(given: Any, draft: Draft) -> None:
    if not isinstance(given, Mapping):
        return
    draft.drop(given, ("schema", "format"), "$.output")
    schema, form = _schema(given.get("schema"), "$.output.schema", draft), given.get("format")
    if schema:
        draft.response_format(schema, "$.output.schema")
    elif form == "json" or (given.get("schema") and form is None):
        draft.meta["response_format"] = "json_object"
    elif form not in (None, "text"):
        draft.lose("$.output.format", "schema-dropped", "only json has a place")


def _read_tools(values: Any, path: str, draft: Draft) -> None:
    tools: list[Any] = []
    for tool in values if isinstance(values, list) else [values]:
        is_defined = isinstance(tool, Mapping) and isinstance(tool.get("inputSchema"), Mapping)
        if is_defined:
            schema = _schema(tool["inputSchema"], path, draft)
            tools.append({k: tool[k] for k in ("name", "description") if k in tool} | {"parameters": schema})
        else:
            tools.append(None)
    draft.tools(tools, path)


def _is_certain(source: Source) -> bool:
    return source.name.endswith(".prompt")


LAYOUT: Final = Layout(
    "dotprompt", read, _is_certain, rank=30, is_lenient=True, oracle="dotpromptz 0.2.0 and handlebars 4.7.10"
)
