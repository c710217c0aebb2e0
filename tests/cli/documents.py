"""Holding what a command printed against the schema of its document."""

import json

import jsonschema

from diptych.cli.documents import DOCUMENTS, schema_of


def name_of(call):
    """Return the command of a command line."""
    return next(name for name in sorted(DOCUMENTS, key=len, reverse=True) if f"{call} ".startswith(f"{name} "))


def best_of(document, call):
    """Return what is wrong with a document, by the schema of the command and with no fields that it does not name."""
    wrong = jsonschema.Draft202012Validator(_closed(schema_of(name_of(call)))).iter_errors(document)
    return jsonschema.exceptions.best_match(wrong)


def _closed(schema):
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _closed(value) for key, value in schema.items()}
    is_object = isinstance(schema.get("properties"), dict) and "type" in schema
    return {"additionalProperties": False, **inner} if is_object else inner


def plain(fields):
    """Return fields as they are after they were printed."""
    return json.loads(json.dumps(fields, default=str))
