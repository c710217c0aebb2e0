"""What official SDKs call valid, per API: a strategy that makes requests or responses, and a check that judges them.

An SDK is imported when its API is first asked for, once. A value is JSON; Bedrock's blobs are base64 in it.
"""

import functools
import importlib
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

from .types import numbered, objects, structures

#: Where the type of a request and of a response stands.
TYPES = {
    "chat": ("openai.types.chat.completion_create_params:CompletionCreateParamsBase", "openai.types.chat:ChatCompletion"),
    "completions": ("openai.types.completion_create_params:CompletionCreateParamsBase", "openai.types:Completion"),
    "responses": ("openai.types.responses.response_create_params:ResponseCreateParamsBase", "openai.types.responses:Response"),
    "anthropic": ("anthropic.types.message_create_params:MessageCreateParamsBase", "anthropic.types:Message"),
    "gemini": (f"{__name__}:GenerateContentRequest", "google.genai.types:GenerateContentResponse"),
    "ollama": ("ollama._types:ChatRequest", "ollama:ChatResponse"),
    "bedrock": ("Converse", "Converse"),
}  # fmt: skip


class Oracle(NamedTuple):
    """What makes valid values of an API, and what says why a value is not valid (an empty text: it is)."""

    values: st.SearchStrategy[Any]
    fault: Callable[[Any], str]


@functools.cache
def oracle(api: str, kind: str = "request") -> Oracle:
    """Return the oracle of an API for a ``request`` or a ``response``."""
    name = TYPES[api][kind == "response"]
    made = _of_service(name, kind) if api == "bedrock" else _of_type(name)
    if kind == "request" or api not in ROLES:
        return made
    return made._replace(values=made.values.map(lambda value: _said(value, ROLES[api])))


#: Who speaks in a response, where the type allows others.
ROLES = {"gemini": "model", "ollama": "assistant", "bedrock": "assistant"}


def _said(value: Any, role: str) -> Any:
    """Return a value in which every role is the speaker's of a response."""
    if isinstance(value, dict):
        return {key: role if key == "role" else _said(item, role) for key, item in value.items()}
    return [_said(item, role) for item in value] if isinstance(value, list) else value


def _of_type(name: str) -> Oracle:
    from pydantic import TypeAdapter
    from pydantic_core import SchemaValidator

    module, _, attribute = name.partition(":")
    tp = getattr(importlib.import_module(module), attribute)
    fault = functools.partial(_fault, SchemaValidator(_eager(TypeAdapter(tp).core_schema)))
    return Oracle(objects(tp, most=3).map(numbered).filter(lambda value: not fault(value)), fault)


def _eager(schema: Any) -> Any:
    """Return a schema that looks into every list: pydantic looks into an ``Iterable`` when it is iterated only."""
    if isinstance(schema, Mapping):
        made = {key: _eager(item) for key, item in schema.items()}
        return made | {"type": "list"} if schema.get("type") == "generator" else made
    return [_eager(item) for item in schema] if isinstance(schema, list) else schema


def _fault(validator: Any, value: Any) -> str:
    from pydantic import ValidationError

    try:
        validator.validate_json(json.dumps(value))
    except ValidationError as error:
        first = error.errors()[0]
        return f"{first['loc']}: {first['msg']} ({error.error_count()} in all)"
    return ""


def _of_service(operation: str, kind: str) -> Oracle:
    import botocore.session
    from botocore.validate import ParamValidator

    model = botocore.session.get_session().get_service_model("bedrock-runtime").operation_model(operation)
    shape = model.output_shape if kind == "response" else model.input_shape
    return Oracle(
        structures(shape, most=3).map(numbered),
        lambda value: ParamValidator().validate(value, shape).generate_report(),
    )


def __getattr__(name: str) -> Any:
    """Make the body of ``generateContent``, whose fields google-genai has in several types."""
    if name != "GenerateContentRequest":
        raise AttributeError(name)
    from google.genai import types
    from pydantic import ConfigDict, create_model
    from pydantic.alias_generators import to_camel

    config = types.GenerateContentConfig.model_fields
    beside = ("safety_settings", "tool_config", "labels", "cached_content", "service_tier", "store")
    return create_model(
        name,
        __config__=ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True),
        model=(str | None, None),
        contents=(list[types.Content], ...),
        system_instruction=(types.Content | None, None),
        generation_config=(types.GenerationConfig | None, None),
        tools=(list[types.Tool] | None, None),
        **{key: (config[key].annotation, None) for key in beside},
    )
