"""Gemini: bodies of ``generateContent``.

- leading ``system`` and ``developer`` messages are ``systemInstruction``, each a part where there are
  several (``merged``); a later one is written as ``user`` (``role-changed``); ``assistant`` is ``model``
- parts: ``text``, ``inlineData`` (data URLs of images, audio, files), ``fileData`` (addresses)
- tool calls are ``functionCall`` parts; results are ``functionResponse`` parts that carry the function's
  name and an object: a text is put under ``result``, an error under ``error``, media under ``parts``.
  Ids may be absent: results then belong to calls by name and order
- reasoning is a text part with ``thought``
- a response schema is ``generationConfig.responseJsonSchema``, JSON mode ``responseMimeType``; schemas
  with types in capitals are read as JSON Schema
- ``thoughtSignature``, safety settings, cached contents, server tools and unknown fields are kept for Gemini;
  snake case, the SDK's ``config`` and bytes come back as they were
- names of participants and the ``strict`` of tools are lost; streaming is said by the path
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Any, Final

from ...errors import FormatError
from ...model import (
    EMPTY,
    AudioPart,
    Cue,
    FilePart,
    FrozenMap,
    ImagePart,
    Message,
    Part,
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
from ..api import Api, Reader, Writer
from ..detection import detector
from ..fields import NOTE, Field, Kind, natives
from ..formats import format_of
from ..ledger import Ledger
from ..media import data_url, split_data_url
from ..turns import Shape, elsewhere, message_of, read_turns, write_turns
from ..values import as_list, chosen, chosen_name, one_of, read_json, strings, write_json
from .fold import TYPE, fold, path_folder, unfold
from .rules import NAME, RULES
from .spelling import path_speller, plain, spelt

#: The system instruction was a string.
_STRING: Final = f"{NOTE}string"
_STREAM: Final = f"{NOTE}stream"
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
    Field(_STREAM, "stream", type=bool),
)


def _read_messages(reader: Reader, body: dict[str, Any]) -> Iterable[Message]:
    system = body.pop("systemInstruction", None)
    if system is not None:
        message = _read_system(reader, system)
        reader.ledger.at(message, "$.systemInstruction", SYSTEM)
        yield message
    yield from read_turns(reader, SHAPE, body.pop("contents"), "$.contents")


def _read_system(reader: Reader, system: Any) -> Message:
    if isinstance(system, str):
        return Message.of("system", (TextPart(system),), native=natives("gemini", {_STRING: {"is": True}}))
    parts = system.get("parts") if isinstance(system, Mapping) else None
    if not isinstance(parts, list | tuple):
        raise FormatError("a system instruction is a content with parts, or a text", path="$.systemInstruction")
    found = [reader.part(part, f"$.systemInstruction.parts[{index}]") for index, part in enumerate(parts)]
    rest = {name: value for name, value in system.items() if name != "parts"}
    return message_of(reader, SHAPE, "system", found, rest)


def _write_messages(writer: Writer, request: Request) -> dict[str, Any]:
    messages = [_with_signatures(writer, message) for message in request.conversation.messages]
    system = list(takewhile(lambda message: message.role in ("system", "developer"), messages))
    wire = {"systemInstruction": _write_system(writer, system)} if system else {}
    return {**wire, "contents": write_turns(writer, SHAPE, messages[len(system) :])}


def _write_system(writer: Writer, messages: list[Message]) -> Any:
    for index, message in enumerate(messages):
        if message.role != "system":
            writer.ledger.lose(message, "role", "role-changed", f"{message.role} became system")
        if message.name is not None:
            writer.ledger.lose(message, "name", "name-dropped")
        if index:
            writer.ledger.lose(message, kind="merged", detail="one system instruction holds several messages")
    wire: dict[str, Any] = {
        "parts": [part for message in messages for one in message.parts if (part := writer.part(one)) is not None]
    }
    for message in messages:
        wire = writer.native(message, message.native, wire)
    return wire["parts"][0]["text"] if wire.pop(_STRING, None) and len(wire["parts"]) == 1 else wire


def _with_signatures(writer: Writer, message: Message) -> Message:
    """Take the thought signatures that a Chat body carries for Gemini as Gemini's own."""
    if message.is_plain or not any(_signature(part) for part in message.parts):
        return message
    made = message.replace(parts=tuple(_signed(writer, part) for part in message.parts))
    writer.ledger.same(made, message)
    return made


def _signature(part: Part) -> str | None:
    at: Any = getattr(part, "native", EMPTY).get("chat", EMPTY)
    for step in ("extra_content", "google", "thought_signature"):
        at = at.get(step) if isinstance(at, Mapping) else None
    return at if isinstance(at, str) else None


def _signed(writer: Writer, part: Any) -> Any:
    signature = _signature(part)
    if signature is None:
        return part
    chat = thaw(part.native["chat"])
    del chat["extra_content"]["google"]["thought_signature"]
    own = {**part.native.get("gemini", EMPTY), "thoughtSignature": signature}
    native = {**part.native, "gemini": own, "chat": chat}
    fields = {name: getattr(part, name) for name in part.__dataclass_fields__}
    made = type(part)(**{**fields, "native": FrozenMap(native)})
    writer.ledger.same(made, part)
    return made


def _cue(messages: tuple[Message, ...]) -> Cue:
    return "continue" if messages and messages[-1].role == "assistant" else "none"


def _unfold(body: Mapping[str, Any], ledger: Ledger) -> Mapping[str, Any]:
    """Lay a body out, in one spelling; the ledger learns what its paths were."""
    written = plain(body)
    place, spell = path_folder(written), path_speller(written)
    ledger.spell = lambda path: spell(place(path))
    return unfold(written)


def _fold(wire: dict[str, Any], ledger: Ledger) -> dict[str, Any]:
    if wire.pop(_STREAM, None):
        ledger.report("$.stream", "renamed", "the path says it: streamGenerateContent")
    return spelt(fold(wire))


API: Final = Api(
    "gemini",
    params=PARAMS,
    parts=PARTS,
    read_messages=_read_messages,
    write_messages=_write_messages,
    holds=frozenset({"contents", "systemInstruction"}),
    tool=TOOL,
    format=WANTED,
    format_at="generationConfig",
    cue=_cue,
    unfold=_unfold,
    fold=_fold,
    names=NAME,
    rules=RULES,
)


def read_request(body: Mapping[str, Any], ledger: Ledger | None = None) -> Request:
    """Read a body of ``generateContent``, in camel or snake case.

    >>> read_request({"contents": [{"parts": [{"text": "Hi"}]}], "generation_config": {"top_k": 3}}).params["top_k"]
    3
    """
    return api.read_request(API, body, ledger)


def write_request(request: Request, ledger: Ledger | None = None, *, whole: bool = True) -> dict[str, Any]:
    """Write a body of ``generateContent``.

    >>> write_request(read_request({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}))
    {'contents': [{'role': 'user', 'parts': [{'text': 'Hi'}]}]}
    """
    return api.write_request(API, request, ledger, whole=whole)


FORMAT: Final = format_of(
    API,
    "contents of user and model; systemInstruction; functionCall and functionResponse; names are lost",
    detect=detector("gemini"),
    aliases=("google",),
    bare="contents",
)
