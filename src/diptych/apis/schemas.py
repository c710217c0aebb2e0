"""The request parameters of the two APIs, as pydantic models.

Rule: validation looks, it does not touch: a value is sent as it was given. Names,
types and ranges are those of the OpenAI API specification (openapi.json, read
2026-11-23): 18 parameters of Completions, and those of Chat.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_Unit = Annotated[float, Field(ge=0, le=1)]
_Penalty = Annotated[float, Field(ge=-2, le=2)]
_Temperature = Annotated[float, Field(ge=0, le=2)]
_Count = Annotated[int, Field(ge=1, le=128)]
_Bias = dict[str, Annotated[float, Field(ge=-100, le=100)]]
_Stop = str | Annotated[list[str], Field(max_length=4)] | None


def _known_response_format(value: dict[str, Any]) -> dict[str, Any]:
    if value.get("type") not in ("text", "json_object", "json_schema"):
        raise ValueError("the type is text, json_object or json_schema")
    if value["type"] == "json_schema" and not isinstance(value.get("json_schema"), dict):
        raise ValueError("a json_schema has its schema under json_schema")
    return value


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class StreamOptions(_Body):
    """``stream_options`` of both APIs."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class _Shared(_Body):
    """What both APIs take, with the same meaning."""

    model: Annotated[str, Field(min_length=1)]
    frequency_penalty: _Penalty | None = None
    logit_bias: _Bias | None = None
    n: _Count | None = None
    presence_penalty: _Penalty | None = None
    seed: int | None = None
    stop: _Stop = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: _Temperature | None = None
    top_p: _Unit | None = None
    user: str | None = None


class CompletionsRequest(_Shared):
    """The body of ``/v1/completions``."""

    prompt: str | list[str] | list[int] | list[list[int]]
    best_of: Annotated[int, Field(ge=1, le=20)] | None = None
    echo: bool | None = None
    logprobs: Annotated[int, Field(ge=0, le=5)] | None = None
    max_tokens: Annotated[int, Field(ge=0)] | None = None
    suffix: str | None = None


class ChatRequest(_Shared):
    """The body of ``/v1/chat/completions``."""

    messages: Annotated[list[dict[str, Any]], Field(min_length=1)]
    audio: dict[str, Any] | None = None
    function_call: str | dict[str, Any] | None = None
    functions: list[dict[str, Any]] | None = None
    logprobs: bool | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    metadata: dict[str, str] | None = None
    modalities: list[Literal["text", "audio"]] | None = None
    moderation: Any = None
    parallel_tool_calls: bool | None = None
    prediction: dict[str, Any] | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: str | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    response_format: Annotated[dict[str, Any], AfterValidator(_known_response_format)] | None = None
    safety_identifier: Annotated[str, Field(max_length=128)] | None = None
    service_tier: Literal["auto", "default", "flex", "scale", "priority"] | None = None
    store: bool | None = None
    tool_choice: str | dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    web_search_options: dict[str, Any] | None = None
