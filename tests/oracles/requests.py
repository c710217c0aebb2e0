"""Requests that official SDKs call valid, per API: a strategy that makes them, and a check that tells them.

The SDKs are imported when an API is first asked for, once. A body is JSON; Bedrock's blobs are base64 in it.
"""

import functools
import json
from typing import Any, NamedTuple

from hypothesis import strategies as st

from .types import numbered, objects, structures


class Oracle(NamedTuple):
    """What makes valid values of an API, and what says why a value is not valid (an empty text: it is)."""

    values: st.SearchStrategy
    fault: Any


def typed(tp, most=3):
    """Return the oracle of a TypedDict or pydantic model."""
    adapter = _adapter(tp)
    return Oracle(objects(tp, most=most).map(numbered), lambda body: _fault(adapter, body))


@functools.cache
def _adapter(tp):
    from pydantic import TypeAdapter

    return TypeAdapter(tp)


def _fault(adapter, body):
    from pydantic import ValidationError

    try:
        adapter.validate_json(json.dumps(body))
    except ValidationError as error:
        first = error.errors()[0]
        return f"{first['loc']}: {first['msg']} ({error.error_count()} in all)"
    return ""


def chat():
    from openai.types.chat.completion_create_params import CompletionCreateParamsBase

    return typed(CompletionCreateParamsBase)


def completions():
    from openai.types.completion_create_params import CompletionCreateParamsBase

    return typed(CompletionCreateParamsBase)


def responses():
    from openai.types.responses.response_create_params import ResponseCreateParamsBase

    return typed(ResponseCreateParamsBase)


def anthropic():
    from anthropic.types.message_create_params import MessageCreateParamsBase

    return typed(MessageCreateParamsBase)


@functools.cache
def _gemini_body():
    from google.genai import types
    from pydantic import ConfigDict, create_model
    from pydantic.alias_generators import to_camel

    kept = {k: (f.annotation, None) for k, f in types.GenerateContentConfig.model_fields.items() if k in GEMINI_BESIDE}
    return create_model(
        "GenerateContentRequest",
        __config__=ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True),
        contents=(list[types.Content], ...),
        system_instruction=(types.Content | None, None),
        generation_config=(types.GenerationConfig | None, None),
        tools=(list[types.Tool] | None, None),
        **kept,
    )


#: Fields of a body that google-genai takes as a part of its config.
GEMINI_BESIDE = ("safety_settings", "tool_config", "labels", "cached_content", "service_tier", "store")


def gemini():
    return typed(_gemini_body())


def ollama():
    from ollama._types import ChatRequest

    return typed(ChatRequest)


@functools.cache
def bedrock_shape(operation="Converse"):
    import botocore.session

    return botocore.session.get_session().get_service_model("bedrock-runtime").operation_model(operation)


def bedrock():
    from botocore.validate import ParamValidator

    shape = bedrock_shape().input_shape

    def fault(body):
        return ParamValidator().validate(body, shape).generate_report()

    return Oracle(structures(shape, most=3).map(numbered), fault)


MAKERS = {maker.__name__: maker for maker in (chat, completions, responses, anthropic, gemini, ollama, bedrock)}


@functools.cache
def oracle(api):
    return MAKERS[api]()
