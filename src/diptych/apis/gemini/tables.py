"""The tables of Gemini: parts, results, tools, response format and parameters.

Source: google-genai 3.6, types, 2026-11-26.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ...model import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    ReasoningPart,
    ResponseFormat,
    TextPart,
    ToolCall,
    ToolSpec,
    freeze,
    thaw,
)
from ..fields import NOTE, Field, Kind
from ..media import data_url, split_data_url
from ..turns import Shape, elsewhere
from ..values import as_list, chosen, chosen_name, one_of, read_json, strings, write_json
from .fold import TYPE

STREAM: Final = f"{NOTE}stream"
#: Other words for the audio formats of the neutral model.
_AUDIO: Final = {"audio/mpeg": "mp3", "audio/x-wav": "wav", "audio/wave": "wav"}


def _inline(*kinds: str) -> tuple[Any, Any]:
    """Return reader and writer of ``inlineData`` of these kinds of media as a data URL."""

    def read(blob: Any) -> str | None:
        kind, data = blob.get("mimeType"), blob.get("data")
        known = isinstance(kind, str) and isinstance(data, str) and kind.startswith(kinds)
        return data_url(kind, data) if known else None

    def write(url: str) -> dict[str, Any] | None:
        inline = split_data_url(url)
        return {"mimeType": inline[0], "data": inline[1]} if inline else None

    return read, write


def _address(kind: str) -> tuple[Any, Any]:
    """Return reader and writer of ``fileData`` of a kind of media as an address."""

    def read(file: Any) -> str | None:
        uri, known = file.get("fileUri"), file.get("mimeType") or kind
        return uri if isinstance(uri, str) and str(known).startswith(kind) else None

    return read, lambda url: None if url.startswith("data:") else {"fileUri": url}


def _audio_format(kind: Any) -> str | None:
    return kind.removeprefix("audio/") if kind.startswith("audio/") and kind not in _AUDIO else None


def _audio(read: Any, write: Any) -> Kind:
    rows = (Field("inlineData.mimeType", "format", read, write, type=str), Field("inlineData.data", "data", type=str))
    return Kind(AudioPart, rows, needs=("format", "data"))


PARTS: Final = (
    Kind(ReasoningPart, (Field("text", "text", type=str),), {"thought": True}, ("text",)),
    Kind(TextPart, (Field("text", "text", type=str),), needs=("text",)),
    Kind(ImagePart, (Field("inlineData", "url", *_inline("image/"), type=Mapping),), needs=("url",)),
    Kind(ImagePart, (Field("fileData", "url", *_address("image/"), type=Mapping),), needs=("url",)),
    _audio(_audio_format, lambda name: f"audio/{name}"),
    *(_audio(*one_of({kind: name})) for kind, name in _AUDIO.items()),
    Kind(
        FilePart,
        (
            Field("inlineData", "data", *_inline(""), type=Mapping),
            Field("inlineData.displayName", "filename", type=str),
        ),
        needs=("data",),
    ),
    Kind(
        FilePart,
        (Field("fileData", "url", *_address(""), type=Mapping), Field("fileData.displayName", "filename", type=str)),
        needs=("url",),
    ),
    Kind(
        ToolCall,
        (
            Field("functionCall.id", "id", type=str),
            Field("functionCall.name", "name", type=str),
            Field("functionCall.args", "arguments", read_json, write_json),
        ),
        needs=("id", "name", "arguments"),
    ),
)
_RESULT: Final = Kind(
    Message,
    (
        Field("functionResponse.id", "tool_call_id", type=str),
        Field("functionResponse.name", "name", type=str),
        Field("functionResponse.content", "content", elsewhere),
        Field("functionResponse.error", "is_error", type=bool),
    ),
    needs=("tool_call_id",),
)
SHAPE: Final = Shape(
    _RESULT,
    result_at="functionResponse.content",
    content="parts",
    strings=False,
    roles={"user": "user", "model": "assistant"},
)
SYSTEM: Final = Kind(Message, ())
TOOL: Final = Kind(
    ToolSpec,
    (
        Field("name", "name", type=str),
        Field("description", "description", type=str),
        Field("parametersJsonSchema", "parameters", freeze, type=Mapping),
    ),
    needs=("name",),
)


WANTED: Final = Kind(
    ResponseFormat,
    (
        Field(TYPE, "type", type=str),
        Field("responseJsonSchema", "schema", freeze, type=Mapping),
    ),
    needs=("type",),
)


def _read_choice(config: Mapping[str, Any]) -> Any:
    mode, names = config.get("mode"), config.get("allowedFunctionNames")
    if mode == "ANY" and isinstance(names, list | tuple) and names:
        return chosen(names[0]) if len(names) == 1 else _allowed(names)
    return {"AUTO": "auto", "ANY": "required", "NONE": "none"}.get(str(mode))


def _allowed(names: Iterable[str]) -> dict[str, Any]:
    return {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": list(map(chosen, names))}}


def _write_choice(value: Any) -> dict[str, Any] | None:
    if (name := chosen_name(value)) is not None:
        return {"mode": "ANY", "allowedFunctionNames": [name]}
    if isinstance(value, Mapping):
        names = [chosen_name(tool) or "" for tool in value.get("allowed_tools", {}).get("tools", ())]
        return {"mode": "ANY", "allowedFunctionNames": names} if thaw(freeze(value)) == _allowed(names) else None
    mode = {"auto": "AUTO", "required": "ANY", "none": "NONE"}.get(value)
    return {"mode": mode} if mode else None


def _lower(values: Any) -> Any:
    found = strings(values)
    return found if found is None else tuple(value.lower() for value in found)


_EFFORTS: Final = {"MINIMAL": "minimal", "LOW": "low", "MEDIUM": "medium", "HIGH": "high"}
PARAMS: Final = (
    Field("model", "model", type=str),
    Field("toolConfig.functionCallingConfig", "tool_choice", _read_choice, _write_choice, type=Mapping),
    Field("generationConfig.temperature", "temperature"),
    Field("generationConfig.topP", "top_p"),
    Field("generationConfig.topK", "top_k"),
    Field("generationConfig.candidateCount", "n", type=int),
    Field("generationConfig.maxOutputTokens", "max_completion_tokens", type=int, also=("max_tokens",)),
    Field("generationConfig.stopSequences", "stop", strings, as_list),
    Field("generationConfig.presencePenalty", "presence_penalty"),
    Field("generationConfig.frequencyPenalty", "frequency_penalty"),
    Field("generationConfig.seed", "seed", type=int),
    Field("generationConfig.responseLogprobs", "logprobs", type=bool),
    Field("generationConfig.logprobs", "top_logprobs", type=int),
    Field("generationConfig.responseModalities", "modalities", _lower, lambda names: [name.upper() for name in names]),
    Field("generationConfig.thinkingConfig.thinkingLevel", "reasoning_effort", *one_of(_EFFORTS)),
    Field(STREAM, "stream", type=bool),
)
