"""The tables of OpenAI Chat: the neutral model has its shape, and the names of its parameters.

Source: the OpenAI API specification (openapi.json, read 2026-11-23).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...model import (
    AudioPart,
    FilePart,
    ImagePart,
    ReasoningPart,
    RefusalPart,
    ResponseFormat,
    TextPart,
    ToolCall,
    ToolSpec,
    freeze,
)
from ..fields import Field, Kind
from ..values import one_of

PARTS: Final = (
    Kind(TextPart, (Field("text", "text", type=str),), {"type": "text"}, ("text",)),
    Kind(
        ImagePart,
        (Field("image_url.url", "url", type=str), Field("image_url.detail", "detail", type=str)),
        {"type": "image_url"},
        ("url",),
    ),
    Kind(
        AudioPart,
        (Field("input_audio.data", "data", type=str), Field("input_audio.format", "format", type=str)),
        {"type": "input_audio"},
        ("data", "format"),
    ),
    *(
        Kind(
            FilePart,
            (
                Field("file.file_data", "data", type=str),
                Field("file.filename", "filename", type=str),
                Field("file.file_id", "file_id", type=str),
            ),
            {"type": "file"},
            (needed,),
        )
        for needed in ("data", "file_id")
    ),
)
CALL: Final = Kind(
    ToolCall, (Field("id", "id"), Field("function.name", "name"), Field("function.arguments", "arguments"))
)
CUSTOM: Final = Kind(
    ToolCall, (Field("id", "id"), Field("custom.name", "name"), Field("custom.input", "arguments"))
)
#: The call of 2023, in the field ``function_call``.
OLD_CALL: Final = Kind(ToolCall, (Field("name", "name"), Field("arguments", "arguments")))
#: A text that is a field of its message.
REASONING: Final = Kind(ReasoningPart, (Field("", "text"),))
REFUSAL: Final = Kind(RefusalPart, (Field("", "text"),))


def _function(root: str) -> tuple[Field, ...]:
    return (
        Field(f"{root}name", "name", type=str),
        Field(f"{root}description", "description", type=str),
        Field(f"{root}parameters", "parameters", freeze, type=Mapping),
        Field(f"{root}strict", "strict", type=bool),
    )


#: A function; and the form without its type and the object around it, which many write.
TOOLS: Final = (
    Kind(ToolSpec, _function("function."), {"type": "function"}, ("name",)),
    Kind(ToolSpec, _function(""), {}, ("name",)),
)
_FORMATS: Final = ("text", "json_object", "json_schema")
FORMAT: Final = Kind(
    ResponseFormat,
    (
        Field("type", "type", *one_of({name: name for name in _FORMATS})),
        Field("json_schema.name", "name", type=str),
        Field("json_schema.description", "description", type=str),
        Field("json_schema.schema", "schema", freeze, type=Mapping),
        Field("json_schema.strict", "strict", type=bool),
    ),
    needs=("type",),
)


_NAMES: Final = (
    "model", "audio", "frequency_penalty", "logit_bias", "logprobs", "max_completion_tokens", "max_tokens", "metadata",
    "modalities", "moderation", "n", "parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key",
    "prompt_cache_options", "prompt_cache_retention", "reasoning_effort", "safety_identifier", "seed", "service_tier",
    "stop", "store", "stream", "stream_options", "temperature", "tool_choice", "top_logprobs", "top_p", "user",
    "verbosity", "web_search_options",
)  # fmt: skip
PARAMS: Final = tuple(Field(name, name, freeze) for name in _NAMES)
