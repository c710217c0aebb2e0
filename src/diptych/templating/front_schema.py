"""The JSON Schema of a template's front matter, for editors and for checks in CI."""

from __future__ import annotations

from typing import Any

from .schema import TYPES
from .whitespace import TRIMS

_NAMES = {"type": "string", "minLength": 1}


def front_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the front matter.

    >>> sorted(front_schema()["properties"])[:3]
    ['description', 'format', 'inputs']
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Front matter of a Diptych template",
        "type": "object",
        "properties": {
            "name": {**_NAMES, "description": "A name for people."},
            "description": {"type": "string", "description": "What the template is for."},
            "version": {"description": "A version of your own; it is carried, not read."},
            "model": {**_NAMES, "description": "The model; without it the catalogue's default model."},
            "params": {**_params(), "description": "Parameters of the request, by the names of the API."},
            "inputs": _inputs(),
            "response_format": _response_format(),
            "tools": {"type": "array", "items": _tool(), "description": "Functions that the model may call."},
            "format": {**_NAMES, "description": "The text format in which messages become a prompt."},
            "trim": {"enum": list(TRIMS), "description": "The rule for white space around tags."},
            "samples": _samples(),
        },
        "patternProperties": {"^x-": {}},
    }


def _params() -> dict[str, Any]:
    from ..apis.schemas import ChatRequest, CompletionsRequest

    names = {*ChatRequest.model_fields, *CompletionsRequest.model_fields, "extra_body"}
    return {
        "type": "object",
        "properties": {name: {} for name in sorted(names - {"model", "messages", "prompt"})},
        "additionalProperties": False,
    }


def _inputs() -> dict[str, Any]:
    pattern = rf"^\s*(?:{'|'.join(map(str, TYPES))}|null)(?:\[\])*\??\s*$"
    short = {
        "type": "string",
        "pattern": pattern,
        "description": f"One of {', '.join(TYPES)}; [] is a list, ? may be left out.",
    }
    declared = {
        "type": "object",
        "description": "A JSON Schema, with default, required and description.",
        "properties": {"type": {"type": ["string", "array"]}, "description": {"type": "string"}},
    }
    named = {"anyOf": [_NAMES, {"type": "object", "required": ["name"], "properties": {"name": _NAMES}}]}
    return {
        "description": "What the template takes: names and types, a JSON Schema, or a list.",
        "anyOf": [
            {"type": "object", "additionalProperties": {"anyOf": [short, declared, {"type": "null"}]}},
            {"type": "object", "required": ["type", "properties"], "properties": {"type": {"const": "object"}}},
            {"type": "array", "items": named},
            {"type": "null"},
        ],
    }


def _response_format() -> dict[str, Any]:
    return {
        "description": "text, json_object, or a JSON Schema.",
        "anyOf": [{"enum": ["text", "json_object"]}, {"type": "object"}, {"type": "null"}],
    }


def _tool() -> dict[str, Any]:
    function = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": _NAMES, "description": {"type": "string"}, "parameters": {"type": "object"}},
    }
    return {"anyOf": [function, {"type": "object", "required": ["function"], "properties": {"function": function}}]}


def _samples() -> dict[str, Any]:
    rows = {"type": "object"}
    return {
        "description": "Example inputs, for tests, reports and caps.",
        "anyOf": [{"type": "array", "items": rows}, {"type": "object", "additionalProperties": rows}],
    }
