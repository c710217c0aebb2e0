"""GitHub Models' ``.prompt.yml`` (2025): messages with ``{{name}}`` holes, parameters, a schema.

=====================================  ====================================================
``name``, ``description``              ``description``
``model: openai/gpt-4o``               ``model``, without its publisher
``modelParameters``                    ``params``
``messages`` with ``{{input}}``        messages; what is not a name between braces is text
``responseFormat``, ``jsonSchema``     ``response_format``; the schema is JSON in a string
``testData``, ``evaluators``           lost: they test the prompt and are no part of it
=====================================  ====================================================

The holes are names, replaced once; nothing else between braces is obeyed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from .draft import Draft
from .jinja import write_message
from .model import Layout, Source
from .pieces import Piece, write

_HOLE: Final = re.compile(r"\{\{\s*([A-Za-z_][\w-]*)\s*\}\}")
_OWN: Final = ("modelParameters", "testData", "evaluators", "responseFormat")
_KNOWN: Final = ("name", "description", "model", "modelParameters", "messages", "responseFormat", "jsonSchema")


def read(source: Source, draft: Draft) -> None:
    """Fill the draft from a GitHub prompt file. Raises MigrationError."""
    value = source.object()
    draft.text_field("description", value.get("description"), value.get("name"))
    if isinstance(value.get("model"), str):
        draft.meta["model"] = value["model"].rpartition("/")[2]
        if "/" in value["model"]:
            draft.lose("$.model", "renamed", f"{value['model']} without its publisher")
    draft.params(value.get("modelParameters"), "$.modelParameters")
    _read_format(value, draft)
    draft.drop(value, _KNOWN)
    messages = value.get("messages")
    if not isinstance(messages, list) or not messages:
        raise draft.refuse("there are no messages")
    texts = [_content(message, index, draft) for index, message in enumerate(messages)]
    for role, text in texts:
        write_message(role, _jinja(text, draft), draft)
    draft.meaning = lambda inputs: [(role, _meaning(text, inputs).strip("\n")) for role, text in texts]


def _content(message: Any, index: int, draft: Draft) -> tuple[str, str]:
    content = message.get("content") if isinstance(message, Mapping) else None
    if not isinstance(content, str):
        raise draft.refuse("a message without text cannot be migrated", f"$.messages[{index}]")
    draft.drop(message, ("role", "content"), f"$.messages[{index}]")
    return draft.role(message.get("role", "user"), f"$.messages[{index}].role"), content


def _jinja(text: str, draft: Draft) -> str:
    pieces, last = [], 0
    for found in _HOLE.finditer(text):
        pieces += [Piece("text", text[last : found.start()])]
        pieces += [Piece("print", f"{{{{ {draft.input_name(found[1])} }}}}")]
        last = found.end()
    return write([*pieces, Piece("text", text[last:])])


def _meaning(text: str, inputs: Mapping[str, Any]) -> str:
    return _HOLE.sub(lambda found: str(inputs[found[1]]), text)


def _read_format(value: Mapping[str, Any], draft: Draft) -> None:
    form, schema = value.get("responseFormat"), value.get("jsonSchema")
    if form == "json_object":
        draft.meta["response_format"] = "json_object"
    elif form == "json_schema" or (form is None and schema is not None):
        try:
            schema = json.loads(schema) if isinstance(schema, str) else schema
        except ValueError:
            raise draft.refuse("the schema is not JSON", "$.jsonSchema") from None
        draft.response_format(schema, "$.jsonSchema")
    elif form not in (None, "text"):
        draft.lose("$.responseFormat", "schema-dropped", "text, json_object and json_schema have a place")


def _is_certain(source: Source) -> bool:
    if source.name.endswith((".prompt.yml", ".prompt.yaml")):
        return True
    value = source.keys
    messages = value.get("messages")
    is_shaped = isinstance(messages, list) and any(
        isinstance(m, dict) and {"role", "content"} <= m.keys() for m in messages
    )
    return is_shaped and source.name.endswith((".yml", ".yaml")) and any(key in value for key in _OWN)


def _is_likely(source: Source) -> bool:
    return "messages" in source.keys and source.name.endswith((".yml", ".yaml"))


LAYOUT: Final = Layout("github-prompt", read, _is_certain, _is_likely, rank=20)
