"""Bedrock Converse: the arguments of a Converse call.

- leading ``system`` and ``developer`` messages are blocks of ``system`` (``merged`` where there are
  several); a later one is written as ``user`` (``role-changed``)
- blocks: ``text``, ``image``, ``document``, ``video`` and ``audio`` with their bytes; an image by
  address has no place (``media-dropped``)
- tool calls are ``toolUse``, results ``toolResult`` blocks of a user message, media inside included
- reasoning goes back to Bedrock alone, with its signature; elsewhere the signature is lost
- a response schema is ``outputConfig.textFormat``; JSON mode has no place
- cache points, citations, guards, system tools and unknown fields are kept for Bedrock
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final

from ...errors import FormatError
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
from ...request import Request
from .. import api
from ..api import KIND, Api, Reader
from ..detection import detector
from ..fields import NOTE, Field, Kind, dig
from ..formats import format_of
from ..ledger import Ledger
from ..media import data_url
from ..turns import Shape, elsewhere, message_of, open_end, read_turns, write_beside_system
from ..values import NO_PARAMETERS, as_list, chosen, chosen_name, one_of, read_json, strings, write_json
from .media import inline, read_text, write_text
from .rules import NAME, RULES

_RESULT: Final = Kind(
    Message,
    (
        Field("toolResult.toolUseId", "tool_call_id", type=str),
        Field("toolResult.content", "content", elsewhere),
        Field("toolResult.status", "is_error", *one_of({"error": True, "success": False})),
    ),
    needs=("tool_call_id",),
)
SHAPE: Final = Shape(
    _RESULT, "toolResult.content", strings=False, roles={"user": "user", "assistant": "assistant", "system": "system"}
)
_SYSTEM: Final = Kind(Message, ())


def _read_value(value: Any) -> str | None:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return None


def _write_value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _audio(*, raw: bool) -> tuple[Any, Any]:
    """Return reader and writer of a block of audio: of its data; the format stands beside it."""
    read, write = inline("audio", raw=raw)

    def read_data(block: Any) -> str | None:
        url = read({"format": "wav", **block}) if isinstance(block, Mapping) else None
        return None if url is None else url.partition(",")[2]

    def write_data(data: str) -> Any:
        block = write(data_url("audio/wav", data))
        return None if block is None else {"source": block["source"]}

    return read_data, write_data


def _read_cited(content: Any) -> str | None:
    """Read the text that citations are about, where it is one."""
    first = content[0] if len(content) == 1 else None
    text = first.get("text") if isinstance(first, Mapping) and len(first) == 1 else None
    return text if isinstance(text, str) else None


def _write_cited(text: str) -> list[dict[str, str]]:
    return [{"text": text}]


_CITED: Final = Field("citationsContent.content", "text", _read_cited, _write_cited, type=(list, tuple))
_NAME: Final = Field("document.name", "filename", type=str)
PARTS: Final = (
    Kind(TextPart, (Field("text", "text", type=str),), needs=("text",)),
    Kind(TextPart, (Field("json", "text", _read_value, _write_value),), needs=("text",)),
    Kind(TextPart, (_CITED,), needs=("text",)),
    *(Kind(ImagePart, (Field("image", "url", *inline("image", raw=raw)),), needs=("url",)) for raw in (True, False)),
    *(
        Kind(
            AudioPart,
            (Field("audio", "data", *_audio(raw=raw)), Field("audio.format", "format", type=str)),
            needs=("data", "format"),
        )
        for raw in (True, False)
    ),
    *(
        Kind(FilePart, (Field("document", "data", *pair), _NAME), needs=("data",), defaults={"filename": "document"})
        for pair in (inline("document", raw=True), inline("document", raw=False), (read_text, write_text))
    ),
    *(Kind(FilePart, (Field("video", "data", *inline("video", raw=raw)),), needs=("data",)) for raw in (True, False)),
    Kind(
        ReasoningPart,
        (Field("reasoningContent.reasoningText.text", "text", type=str),),
        needs=("text",),
        fits=lambda part: part.origin == "bedrock",
    ),
    Kind(
        ToolCall,
        (
            Field("toolUse.toolUseId", "id", type=str),
            Field("toolUse.name", "name", type=str),
            Field("toolUse.input", "arguments", read_json, write_json),
        ),
        needs=("id", "name", "arguments"),
    ),
)
TOOL: Final = Kind(
    ToolSpec,
    (
        Field("toolSpec.name", "name", type=str),
        Field("toolSpec.description", "description", type=str),
        Field("toolSpec.inputSchema.json", "parameters", freeze, type=Mapping),
        Field("toolSpec.strict", "strict", type=bool),
    ),
    needs=("name", "parameters"),
    defaults={"parameters": NO_PARAMETERS},
)


#: How the text of the schema was spaced.
_SPACING: Final = f"{NOTE}spacing"


def _read_schema(text: Any) -> Any:
    value = _write_value(text) if isinstance(text, str) else None
    return freeze(value) if isinstance(value, dict) and _written_schema(value) == text else None


def _written_schema(schema: Any) -> str | None:
    return _read_value(thaw(schema))


WANTED: Final = Kind(
    ResponseFormat,
    (
        Field("type", "type", *one_of({"json_schema": "json_schema"})),
        Field("structure.jsonSchema.schema", "schema", _read_schema, _written_schema),
        Field("structure.jsonSchema.name", "name", type=str),
        Field("structure.jsonSchema.description", "description", type=str),
    ),
    needs=("type", "schema"),
)
_CHOICES: Final = {"auto": "auto", "any": "required"}


def _read_choice(value: Any) -> Any:
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    kind, inner = next(iter(value.items()))
    if kind == "tool" and isinstance(inner, Mapping) and isinstance(inner.get("name"), str):
        return chosen(inner["name"])
    return _CHOICES.get(kind) if isinstance(inner, Mapping) else None


def _write_choice(value: Any) -> Any:
    if (name := chosen_name(value)) is not None:
        return {"tool": {"name": name}}
    word = next((word for word, neutral in _CHOICES.items() if neutral == value), None)
    return None if word is None else {word: {}}


_TIERS: Final = {name: name for name in ("default", "flex", "priority")}
_EFFORTS: Final = {name: name for name in ("low", "medium", "high", "xhigh")}
PARAMS: Final = (
    Field("modelId", "model", type=str),
    Field("inferenceConfig.maxTokens", "max_completion_tokens", type=int, also=("max_tokens",)),
    Field("inferenceConfig.temperature", "temperature"),
    Field("inferenceConfig.topP", "top_p"),
    Field("inferenceConfig.stopSequences", "stop", strings, as_list),
    Field("additionalModelRequestFields.top_k", "top_k"),
    Field("toolConfig.toolChoice", "tool_choice", _read_choice, _write_choice),
    Field("requestMetadata", "metadata", freeze, type=Mapping),
    Field("serviceTier.type", "service_tier", *one_of(_TIERS)),
    Field("outputConfig.effort", "reasoning_effort", *one_of(_EFFORTS)),
)


def _read_messages(reader: Reader, body: dict[str, Any]) -> Iterable[Message]:
    system = body.get("system")
    if isinstance(system, list | tuple) and system:
        del body["system"]
        parts = [reader.part(block, f"$.system[{index}]") for index, block in enumerate(system)]
        message = message_of(reader, SHAPE, "system", parts, {})
        reader.ledger.at(message, "$.system", _SYSTEM)
        yield message
    elif system is not None and not isinstance(system, list | tuple):
        raise FormatError("system is a list of blocks", path="$.system")
    if "messages" not in body:
        raise FormatError("messages are a list", path="$.messages")
    yield from read_turns(reader, SHAPE, body.pop("messages"), "$.messages")


_AT: Final = "outputConfig.textFormat.structure.jsonSchema"


def _unfold(body: Mapping[str, Any], _: Ledger) -> Mapping[str, Any]:
    """Give the text of a schema the spacing that it is written with; a note keeps another one."""
    text = dig(body, f"{_AT}.schema")
    schema = _write_value(text) if isinstance(text, str) else None
    if not isinstance(schema, dict) or (written := _read_value(schema)) in (None, text):
        return body
    return {**_with_schema(body, written), _SPACING: {"text": text, "written": written}}


def _fold(wire: dict[str, Any], _: Ledger) -> dict[str, Any]:
    noted = wire.pop(_SPACING, None)
    if noted is None or dig(wire, f"{_AT}.schema") != noted["written"]:
        return wire
    return _with_schema(wire, noted["text"])


def _with_schema(body: Mapping[str, Any], text: str | None) -> dict[str, Any]:
    config, wanted = body["outputConfig"], body["outputConfig"]["textFormat"]
    declared = {**wanted["structure"]["jsonSchema"], "schema": text}
    structure = {**wanted["structure"], "jsonSchema": declared}
    return {**body, "outputConfig": {**config, "textFormat": {**wanted, "structure": structure}}}


#: The note of a text that it is written with its citations.
CITED: Final = {KIND: 2}
API: Final = Api(
    "bedrock",
    params=PARAMS,
    parts=PARTS,
    read_messages=_read_messages,
    write_messages=partial(write_beside_system, SHAPE),
    holds=frozenset({"messages", "system"}),
    tool=TOOL,
    tools_at="toolConfig.tools",
    format=WANTED,
    format_at="outputConfig.textFormat",
    cue=open_end,
    not_in_ids=r"[^a-zA-Z0-9_.:-]",
    unique_ids=True,
    said_by_path={"stream": "the operation says it: ConverseStream"},
    names=NAME,
    rules=RULES,
    unfold=_unfold,
    fold=_fold,
)


def read_request(body: Mapping[str, Any], ledger: Ledger | None = None) -> Request:
    """Read the arguments of a Converse call.

    >>> read_request({"modelId": "m", "messages": [{"role": "user", "content": [{"text": "Hi"}]}]}).model
    'm'
    """
    return api.read_request(API, body, ledger)


def write_request(request: Request, ledger: Ledger | None = None, *, whole: bool = True) -> dict[str, Any]:
    """Write the arguments of a Converse call.

    >>> write_request(read_request({"modelId": "m", "messages": [{"role": "user", "content": [{"text": "Hi"}]}]}))
    {'modelId': 'm', 'messages': [{'role': 'user', 'content': [{'text': 'Hi'}]}]}
    """
    return api.write_request(API, request, ledger, whole=whole)


FORMAT: Final = format_of(
    API,
    "system blocks beside messages; toolUse and toolResult; bytes; names are lost",
    detect=detector("bedrock"),
    aliases=("bedrock-converse", "converse"),
    bare="messages",
)
