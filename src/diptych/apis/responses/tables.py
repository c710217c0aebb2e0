"""The tables of OpenAI Responses: contents, items, tools, response format and parameters.

Source: openai 3.57, types/responses, 2026-11-26.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...model import (
    FilePart,
    ImagePart,
    Message,
    ReasoningPart,
    RefusalPart,
    ResponseFormat,
    TextPart,
    ToolCall,
    ToolSpec,
    freeze,
)
from ..api import tables_of
from ..fields import Field, Kind
from ..turns import elsewhere
from ..values import one_of, read_json, write_json

_IN: Final = Kind(TextPart, (Field("text", "text", type=str),), {"type": "input_text"}, ("text",))
_OUT: Final = Kind(TextPart, (Field("text", "text", type=str),), {"type": "output_text"}, ("text",))
_MEDIA: Final = (
    Kind(
        ImagePart,
        (Field("image_url", "url", type=str), Field("detail", "detail", type=str)),
        {"type": "input_image"},
        ("url",),
    ),
    Kind(
        FilePart,
        (
            Field("file_data", "data", type=str),
            Field("filename", "filename", type=str),
            Field("file_id", "file_id", type=str),
            Field("file_url", "url", type=str),
        ),
        {"type": "input_file"},
    ),
)
_REFUSAL: Final = Kind(RefusalPart, (Field("refusal", "text", type=str),), {"type": "refusal"}, ("text",))
#: The contents of a message: what is said to the model, and what it says.
SAID: Final = tables_of((_IN, _OUT, *_MEDIA))
ANSWERED: Final = tables_of((_OUT, _IN, _REFUSAL, *_MEDIA))
_CALL: Final = (
    Field("call_id", "id", type=str),
    Field("name", "name", type=str),
)
#: The items that are parts of an assistant's turn.
ITEMS: Final = tables_of(
    (
        Kind(
            ReasoningPart,
            (Field("text", "text", type=str),),
            {"type": "reasoning"},
            ("text",),
            lambda part: "responses" in part.native,
        ),
        Kind(
            ToolCall,
            (*_CALL, Field("arguments", "arguments", type=str)),
            {"type": "function_call"},
            ("id", "name", "arguments"),
            lambda call: call.type == "function",
        ),
        Kind(
            ToolCall,
            (
                *_CALL,
                Field("input", "arguments", type=str),
                Field("type", "type", *one_of({"custom_tool_call": "custom"})),
            ),
            {},
            ("id", "name", "arguments", "type"),
        ),
        Kind(
            ToolCall,
            (*_CALL, Field("arguments", "arguments", read_json, write_json)),
            {"type": "function_call"},
            ("id", "name", "arguments"),
        ),
    )
)
#: A content that is a text itself.
PLAIN: Final = Kind(TextPart, (Field("", "text"),))
MESSAGE: Final = Kind(Message, (Field("role", "role", elsewhere), Field("content", "content", elsewhere)))
OUTPUTS: Final = {
    name: Kind(
        Message,
        (Field("call_id", "tool_call_id", type=str), Field("output", "content", elsewhere)),
        {"type": name},
        ("tool_call_id",),
    )
    for name in ("function_call_output", "custom_tool_call_output")
}
TOOL: Final = Kind(
    ToolSpec,
    (
        Field("name", "name", type=str),
        Field("description", "description", type=str),
        Field("parameters", "parameters", freeze, type=Mapping),
        Field("strict", "strict", type=bool),
    ),
    {"type": "function"},
    ("name",),
)
_TYPES: Final = ("text", "json_object", "json_schema")
WANTED: Final = Kind(
    ResponseFormat,
    (
        Field("type", "type", *one_of({name: name for name in _TYPES})),
        Field("name", "name", type=str),
        Field("schema", "schema", freeze, type=Mapping),
        Field("strict", "strict", type=bool),
        Field("description", "description", type=str),
    ),
    needs=("type",),
)


def _read_choice(value: Any) -> Any:
    if isinstance(value, str):
        return value if value in ("auto", "none", "required") else None
    if not isinstance(value, Mapping):
        return None
    if value.get("type") in ("function", "custom") and isinstance(value.get("name"), str):
        kind = value["type"]
        return {"type": kind, kind: {"name": value["name"]}}
    if value.get("type") == "allowed_tools":
        tools = [_read_choice(tool) for tool in value.get("tools") or ()]
        return {"type": "allowed_tools", "allowed_tools": {"mode": value.get("mode"), "tools": tools}}
    return None


def _write_choice(value: Any) -> Any:
    if isinstance(value, str):
        return value
    kind = value.get("type") if isinstance(value, Mapping) else None
    if kind == "allowed_tools":
        allowed = value.get(kind, {})
        tools = [_write_choice(tool) for tool in allowed.get("tools") or ()]
        return None if None in tools else {"type": kind, "mode": allowed.get("mode"), "tools": tools}
    inner = value.get(kind) if kind in ("function", "custom") else None
    return {"type": kind, "name": inner["name"]} if isinstance(inner, Mapping) and "name" in inner else None


_LOGPROBS: Final = ["message.output_text.logprobs"]
_SAME: Final = (
    "temperature", "top_p", "top_logprobs", "parallel_tool_calls", "metadata", "store", "stream", "user",
    "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
    "moderation",
)  # fmt: skip
PARAMS: Final = (
    Field("model", "model", type=str),
    *(Field(name, name, freeze) for name in _SAME),
    Field("max_output_tokens", "max_completion_tokens", type=int, also=("max_tokens",)),
    Field("reasoning.effort", "reasoning_effort", type=str),
    Field("text.verbosity", "verbosity", type=str),
    Field("tool_choice", "tool_choice", _read_choice, _write_choice),
    Field("stream_options.include_obfuscation", "stream_options", lambda value: {"include_obfuscation": value},
          lambda value: value.get("include_obfuscation"), type=bool),
    Field("include", "logprobs", lambda value: True if list(value) == _LOGPROBS else None,
          lambda value: _LOGPROBS if value else None, type=(list, tuple)),
)  # fmt: skip
